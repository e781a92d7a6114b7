"""Write tests/golden/musicnn.npz by a second way: librosa, and plain TensorFlow operations.

    python tests/golden/make_musicnn.py musicnn-0.1.0-py3-none-any.whl

reads the published weights by TensorFlow's own checkpoint reader. Nothing here uses skmer. Values
kept are small: every 16th number, but all tags.
"""

import argparse
import tempfile
import zipfile
from pathlib import Path

import librosa
import numpy as np
import tensorflow as tf

TARGET = Path(__file__).with_name("musicnn.npz")
STEP = 16
SR, PATCH = 16000, 187
# Seconds and hop in columns of 16 ms; 2 s is shorter than a patch.
CASES = [(7.3, 93), (7.3, 40), (2.0, 93)]


def clip(seconds):
    """Two voices, a beat and deterministic noise, loud enough to overflow float16."""
    t = np.arange(int(seconds * SR)) / SR
    noise = np.sin(12.9898 * np.arange(len(t)) ** 1.37)
    beat = (t % 0.5 < 0.05) * noise
    voice = sum(
        np.sin(2 * np.pi * 220 * k * t + 3 * np.sin(2 * np.pi * 5 * t)) / k for k in range(1, 9)
    )
    return 0.3 * voice + 0.3 * beat + 0.1 * np.sin(2 * np.pi * (100 + 300 * t) * t)


def read_arrays(wheel, model):
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        for suffix in ("index", "data-00000-of-00001"):
            content = archive.read(f"musicnn/{model}_musicnn/.{suffix}")
            Path(folder, f"{model}.{suffix}").write_bytes(content)
        reader = tf.train.load_checkpoint(str(Path(folder, model)))
        return {
            name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
            if "Adam" not in name and "power" not in name
        }


def log_mel_patches(audio, hop):
    audio = np.pad(audio, (0, max(0, (PATCH - 1) * 256 - len(audio)))).astype("f4")
    mel = librosa.feature.melspectrogram(
        y=audio, sr=SR, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    )
    columns = np.log10(10000 * mel + 1).astype("f4").T
    return np.stack([columns[i : i + PATCH] for i in range(0, len(columns) - PATCH + 1, hop)])


def run(arrays, patches):
    """The network as its paper and code state it, nothing folded."""

    def get(layer, index, role):
        return arrays[f"{layer}_{index}/{role}" if index else f"{layer}/{role}"]

    def norm(x, index):
        gamma, beta, mean, variance = (
            get("batch_normalization", index, role)
            for role in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)

    def conv(x, index, padding):
        x = tf.nn.conv2d(x, get("conv2d", index, "kernel"), 1, padding)
        return norm(tf.nn.relu(x + get("conv2d", index, "bias")), index + 1)

    def pad(x):
        return tf.pad(x, [[0, 0], [3, 3], [0, 0], [0, 0]])

    x = norm(patches[..., np.newaxis], 0)
    front = [tf.reduce_max(conv(pad(x), index, "VALID"), 2) for index in (0, 1)]
    front += [tf.reduce_max(conv(x, index, "SAME"), 2) for index in (2, 3, 4)]
    middle = [tf.concat(front, 2)]
    for index in (5, 6, 7):
        y = conv(pad(middle[-1][..., np.newaxis]), index, "VALID")[:, :, 0]
        middle.append(y if index == 5 else y + middle[-1])
    together = tf.concat(middle, 2)
    most, mean = tf.reduce_max(together, 1), tf.reduce_mean(together, 1)
    flat = norm(tf.reshape(tf.stack([most, mean], 2), (len(patches), -1)), 9)
    hidden = norm(tf.nn.relu(flat @ get("dense", 0, "kernel") + get("dense", 0, "bias")), 10)
    tags = tf.sigmoid(hidden @ get("dense", 1, "kernel") + get("dense", 1, "bias"))
    return {"mean_pool": mean, "max_pool": most, "penultimate": hidden, "tags": tags}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    golden = {}
    for model in ("MSD", "MTT"):
        arrays = read_arrays(wheel, model)
        for seconds, hop in CASES:
            for layer, rows in run(arrays, log_mel_patches(clip(seconds), hop)).items():
                kept = rows.numpy()[:, :: 1 if layer == "tags" else STEP]
                golden[f"{model.lower()}|{seconds}|{hop}|{layer}"] = kept
    np.savez_compressed(TARGET, **golden)


if __name__ == "__main__":
    main()

"""Write tests/golden/embeddings.npz by a second way: librosa, textbook loops, and plain Keras layers.

Nothing here uses skmer's audio or engines; the weights are skmer's random ones, which come from a
raw PCG64 stream and are the same on every machine. Values kept are small: every 16th number.
"""

from pathlib import Path

import keras
import librosa
import numpy as np

from skmer.embeddings import l3, vggish

TARGET = Path(__file__).with_name("embeddings.npz")
# What L3Transformer(random_state=0) draws.
SEED = int(np.random.RandomState(0).randint(2**31 - 1))
STEP = 16


def clip(sr, seconds=1.3):
    """A chord, a sweep and deterministic noise: enough to fill the spectrum."""
    t = np.arange(int(seconds * sr)) / sr
    noise = np.sin(12.9898 * np.arange(len(t)) ** 1.37)
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6, 1760.0))
    return 0.1 * chord + 0.1 * np.sin(2 * np.pi * (100 + 1500 * t) * t) + 0.02 * noise


def l3_frames(audio, hop):
    audio = np.concatenate([np.zeros(24000), audio])
    n_frames = 1 + int(np.ceil((len(audio) - 48000) / hop))
    audio = np.pad(audio, (0, 48000 + (n_frames - 1) * hop - len(audio)))
    return [audio[i * hop : i * hop + 48000] for i in range(n_frames)]


def l3_input(frame, input_repr, frontend):
    if input_repr == "linear":
        level = np.abs(librosa.stft(frame, n_fft=512, hop_length=242, center=False))
    else:
        before, after = {"kapre": (0, 1964), "librosa": (1024, 1024), "trained": (982, 982)}[
            frontend
        ]
        padded = np.pad(frame, (before, after))
        level = np.abs(librosa.stft(padded, n_fft=2048, hop_length=242, center=False))
        trained = frontend == "trained"
        bank = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=int(input_repr[3:]), htk=trained)
        level = np.sqrt(bank @ level**2) if trained else bank @ level
    level = 10 * np.log10(np.maximum(level, 1e-10))
    return np.maximum(level - level.max(), -80)


def l3_model(arrays, shape):
    layers = [keras.layers.BatchNormalization(epsilon=1e-3)]
    for i, width in enumerate((64, 64, 128, 128, 256, 256, 512, 512)):
        layers.append(keras.layers.Conv2D(width, 3, padding="same"))
        if i < 7:
            layers += [keras.layers.BatchNormalization(epsilon=1e-3), keras.layers.ReLU()]
        if i in (1, 3, 5):
            layers.append(keras.layers.MaxPooling2D(2))
    model = keras.Sequential([keras.Input((*shape, 1)), *layers])
    remaining = list(arrays)
    for layer in layers:
        n = len(layer.weights)
        layer.set_weights([remaining.pop(0) for _ in range(n)])
    assert not remaining
    return model


def l3_embeddings(spectrograms, arrays, size):
    maps = l3_model(arrays, spectrograms[0].shape).predict(
        np.stack(spectrograms)[..., None].astype("f4"), verbose=0
    )
    rows, columns = {512: (1, 1), 6144: (4, 3)}[size]
    height, width = maps.shape[1] // rows, maps.shape[2] // columns
    cells = [
        maps[:, i * height : (i + 1) * height, j * width : (j + 1) * width].max(axis=(1, 2))
        for i in range(rows)
        for j in range(columns)
    ]
    return np.concatenate(cells, axis=1)


def vggish_examples(audio):
    columns = [
        np.abs(np.fft.rfft(audio[i : i + 400] * hann(400), 512))
        for i in range(0, len(audio) - 399, 160)
    ]
    log_mel = np.log(np.stack(columns) @ vggish_bank() + 0.01)
    return [log_mel[i : i + 96] for i in range(0, len(log_mel) - 95, 96)]


def hann(length):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def vggish_bank():
    def mel(f):
        return 1127 * np.log(1 + f / 700)

    bank = np.zeros((257, 64))
    edges = np.linspace(mel(125), mel(7500), 66)
    for k in range(1, 257):
        m = mel(k * 16000 / 512)
        for band in range(64):
            low, middle, high = edges[band : band + 3]
            bank[k, band] = max(0, min((m - low) / (middle - low), (high - m) / (high - middle)))
    return bank


def vggish_model(arrays):
    layers = []
    for width, pool in ((64, 1), (128, 1), (256, 0), (256, 1), (512, 0), (512, 1)):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        if pool:
            layers.append(keras.layers.MaxPooling2D(2))
    layers.append(keras.layers.Flatten())
    layers += [keras.layers.Dense(4096, activation="relu") for _ in range(2)]
    layers.append(keras.layers.Dense(128))
    model = keras.Sequential([keras.Input((96, 64, 1)), *layers])
    model.set_weights(list(arrays))
    return model


def main():
    golden = {}
    arrays = tuple(l3.WEIGHTS["mel256", "music"].load(None, SEED)[0].values())
    frames = l3_frames(clip(48000), 24000)
    for input_repr, frontend, size in [
        ("mel256", "kapre", 512),
        ("mel256", "librosa", 512),
        ("mel256", "trained", 512),
        ("mel256", "kapre", 6144),
        ("mel128", "kapre", 512),
        ("mel128", "trained", 6144),
        ("linear", "trained", 512),
        ("linear", "librosa", 6144),
    ]:
        inputs = [l3_input(frame, input_repr, frontend) for frame in frames]
        golden[f"l3|{input_repr}|{frontend}|{size}"] = l3_embeddings(inputs, arrays, size)
    kernels = tuple(vggish.NETWORK_FILE.load(None, SEED)[0].values())
    examples = vggish_examples(clip(16000, 2.1))
    golden["vggish"] = vggish_model(kernels).predict(
        np.stack(examples)[..., None].astype("f4"), verbose=0
    )
    np.savez_compressed(
        TARGET, **{key: value[:, ::STEP].astype("f4") for key, value in golden.items()}
    )


if __name__ == "__main__":
    main()

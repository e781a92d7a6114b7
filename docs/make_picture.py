"""Make docs/_static/skmer.png: a clip, its embedding, and what scores are worth.

Run: python docs/make_picture.py
The clips are generated and the network has random weights; a minute on two cores, no network.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import ConnectionPatch
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import L3Transformer, MFCCStatsTransformer
from skmer.audio import l3_spectrogram, read_audio
from skmer.datasets import load_toy_emotions
from skmer.evaluation import GapDisplay, evaluate

TARGET = Path(__file__).parent / "_static" / "skmer.png"
INK = "#222222"


def spectrogram(path):
    """Two seconds of a clip as L3-Net sees them, one frame beside the other."""
    audio, sr = read_audio(path, sr=48000)
    frames = audio[: 2 * sr].reshape(2, sr)
    return np.concatenate(list(l3_spectrogram(frames, frontend="librosa")), axis=1)


def embedding(path):
    """The frames of a clip, each channel relative to its range."""
    l3 = L3Transformer(weights=None, random_state=0, hop_size=0.05, center=False)
    frames = l3.fit([path]).transform_frames([path])[0]
    frames = frames[:, np.argsort(frames.std(axis=0))[-96:]]
    frames = (frames - frames.min(axis=0)) / np.ptp(frames, axis=0)
    return frames[:, np.argsort(np.argmax(frames, axis=0), kind="stable")].T


def scores(toy):
    """Two features by random splits and with artists held out."""
    features = {
        "L3-Net (random weights)": L3Transformer(weights=None, random_state=0, input_repr="mel128"),
        "mfcc": MFCCStatsTransformer(),
    }
    classifiers = {
        "svm": make_pipeline(StandardScaler(), SVC(C=10)),
        "rf": RandomForestClassifier(random_state=0),
    }
    protocols = ["koh2021", "grouped"]
    result = evaluate(
        features, classifiers, toy.data, toy.target, groups=toy.groups, protocol=protocols
    )
    return result.scores


def main():
    toy = load_toy_emotions()
    plt.rcParams.update({"font.size": 10, "text.color": INK, "axes.labelcolor": INK})
    figure, axes = plt.subplots(
        1, 3, figsize=(12, 3.3), width_ratios=(1, 1, 1.15), layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.12)
    clip = toy.data[4]
    axes[0].imshow(
        spectrogram(clip)[:170], origin="lower", aspect="auto", extent=(0, 2, 0, 170), cmap="magma"
    )
    axes[0].set(xlabel="time [s]", ylabel="mel band", title="a clip as a spectrogram")
    axes[1].imshow(
        embedding(clip), origin="lower", aspect="auto", interpolation="nearest", cmap="viridis"
    )
    axes[1].set(xlabel="frame, every 0.05 s", ylabel="96 of 512 numbers", title="its embedding")
    axes[1].set_yticks([])
    display = GapDisplay.from_scores(scores(toy), random="koh2021", grouped="grouped", ax=axes[2])
    display.ax_.set_title("what the scores are worth", pad=26)
    for ax in axes[:2]:
        ends = ((1.03, 1.08), (1.2, 1.08))
        figure.add_artist(
            ConnectionPatch(*ends, ax.transAxes, ax.transAxes, arrowstyle="-|>", color=INK)
        )
    figure.savefig(TARGET, dpi=160)


if __name__ == "__main__":
    main()

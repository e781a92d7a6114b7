"""Make docs/_static/skmer.png: what a trained network hears, and what that is worth.

Run: python docs/make_picture.py
The clips are generated, MusiCNN's weights are the published ones; two minutes on two cores.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MusiCNNTransformer
from skmer.audio import musicnn_log_mel, read_audio
from skmer.datasets import load_toy_emotions
from skmer.evaluation import AccuracyBarsDisplay, TagsDisplay, evaluate

TARGET = Path(__file__).parent / "_static" / "skmer.png"
INK = "#222222"
CLASSIFIERS = {
    "svm": make_pipeline(StandardScaler(), SVC(C=10)),
    "nb": make_pipeline(StandardScaler(), GaussianNB()),
    "rf": RandomForestClassifier(300, random_state=0),
}


def four_emotions(toy):
    """A clip of each emotion by one artist, one after the other, at 16 kHz."""
    artist = toy.groups[0]
    rows = [
        np.flatnonzero((toy.target == label) & (toy.groups == artist))[0]
        for label in np.unique(toy.target)
    ]
    return [read_audio(toy.data[row], sr=16000)[0] for row in rows], np.unique(toy.target)


def main():
    toy = load_toy_emotions()
    clips, labels = four_emotions(toy)
    audio = np.concatenate(clips)
    ends = np.cumsum([len(clip) for clip in clips]) / 16000
    plt.rcParams.update({"font.size": 9, "text.color": INK, "axes.labelcolor": INK})
    figure = plt.figure(figsize=(12, 4.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(2.1, 1), height_ratios=(1, 2.2))
    sound, tags, bars = (
        figure.add_subplot(grid[place]) for place in ((0, 0), (1, 0), (slice(None), 1))
    )
    columns = np.concatenate(list(musicnn_log_mel([audio])))
    extent = (0, ends[-1], 0, 96)
    sound.imshow(columns.T, origin="lower", aspect="auto", extent=extent, cmap="magma")
    sound.set(ylabel="mel band", title="four generated clips, one of each emotion", xticks=[])
    for start, end, label in zip([0, *ends], ends, labels):
        sound.text((start + end) / 2, 84, label, color="white", ha="center", fontweight="bold")
    hears = MusiCNNTransformer(layer="tags", hop_size=0.5).fit([(audio, 16000)])
    display = TagsDisplay.from_transformer(hears, (audio, 16000), n_tags=14, ax=tags)
    # Most tags are rare: on a scale of ratios their changes can be seen.
    display.im_.set_norm(LogNorm(vmin=0.003, vmax=1))
    tags.set(xlim=(0, ends[-1]), xlabel="time [s]", title="what MusiCNN hears in them")
    for ax in (sound, tags):
        for end in ends[:-1]:
            ax.axvline(end, color="white", linewidth=1.5)
    result = evaluate(["musicnn", "mfcc"], CLASSIFIERS, toy.data, toy.target, groups=toy.groups)
    AccuracyBarsDisplay.from_frame(result.intervals(), chance=0.25, ax=bars)
    bars.set_title("and how well that tells emotions\nof unseen artists", pad=30)
    figure.savefig(TARGET, dpi=150)


if __name__ == "__main__":
    main()

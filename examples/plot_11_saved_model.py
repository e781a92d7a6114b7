"""
Saving a model and predicting
=============================

A fitted pipeline can be saved in one file, without pickles and with a model card that states its training data and
its scores. This example saves a model, and predicts the emotion of new songs, also over time.
"""

# %%
# The clips of one artist are the new songs; the model is trained on the other artists.
from skmer.datasets import get_data_home, load_toy_emotions

clips = load_toy_emotions().frame
new = clips["group"] == clips["group"].iloc[0]
old = clips[~new]

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmer import MusiCNNTransformer

musicnn = MusiCNNTransformer(layer="penultimate", hop_size=0.5, memory=get_data_home() / "cache")
model = make_pipeline(musicnn, StandardScaler(), LogisticRegression(C=0.01))
_ = model.fit(old["path"], old["label"])

# %%
# The card is in the file, and beside it as markdown.
from pathlib import Path
from tempfile import TemporaryDirectory

from skmer.models import load_model, predict_clips, read_card, save_model

folder = TemporaryDirectory()
path = save_model(model, Path(folder.name, "emotions.skmer"), card={"data": {"name": "toy"}})
print(read_card(path)["task"], [file.name for file in sorted(path.parent.iterdir())])

# %%
# The result has one row for each clip, with probabilities. In the shell: ``skmer predict emotions.skmer songs/``.
four = clips[new].groupby("label").first()
predict_clips(load_model(path), four["path"])[["label", "proba_Q1", "proba_Q4"]].round(2)

# %%
# We join one clip of each emotion to one file, and predict its emotion over time.
import numpy as np
import soundfile

waveforms = [soundfile.read(path)[0] for path in four["path"]]
song = Path(folder.name, "song.wav")
soundfile.write(song, np.concatenate(waveforms), 16000)
moments = predict_clips(load_model(path), [song], frames=True).set_index("time")

# %%
ax = (
    moments.filter(like="proba_")
    .rename(columns=lambda name: name[6:])
    .plot.area(figsize=(7, 3), linewidth=0, cmap="cividis", xlabel="time [s]", ylabel="probability")
)
ends = np.cumsum([len(waveform) for waveform in waveforms]) / 16000
for label, end in zip(four.index, ends):
    ax.axvline(end, color="white")
    ax.text(end - 3.2, 1.03, f"plays {label}", ha="center")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="predicted", frameon=False)
ax.set(xlim=(moments.index[0], moments.index[-1]), ylim=(0, 1))
ax.figure.tight_layout()
folder.cleanup()

"""
Tags of a clip over time
========================

MusiCNN was trained to tag songs. The output of its last layer is the probability of fifty tags every few
hundred milliseconds. Some of the tags are moods ("happy", "sad", "chillout").
"""

# %%
# We join four generated clips of one artist, one from each quadrant of emotion. Q1 is
# high arousal and high valence; the other quadrants follow counter-clockwise.
import numpy as np

from skmer.audio import read_audio
from skmer.datasets import load_toy_emotions

songs = load_toy_emotions().frame
four = songs[songs["group"] == songs["group"][0]].groupby("label").first()
waveforms = [read_audio(path, sr=16000)[0] for path in four["path"]]
clip = np.concatenate(waveforms), 16000

# %%
# ``layer="tags"`` selects the last layer, and ``hop_size`` is the time between two frames. A clip may be a
# path, a waveform, or, as here, a pair of a waveform and its sampling rate.
#
# Most tags are rare, so the colours have a logarithmic scale. The white lines are the ends of the clips;
# each frame of the network spans three seconds.
from matplotlib.colors import LogNorm

from skmer import MusiCNNTransformer
from skmer.evaluation import TagsDisplay

musicnn = MusiCNNTransformer(layer="tags", hop_size=0.5).fit([clip])
display = TagsDisplay.from_transformer(musicnn, clip, n_tags=14)
display.im_.set_norm(LogNorm(vmin=0.003, vmax=1))
ends = np.cumsum([len(waveform) for waveform in waveforms]) / 16000
for label, end in zip(four.index, ends):
    display.ax_.axvline(end, color="white")
    display.ax_.text(end - 3.2, -0.7, label, ha="center")
_ = display.ax_.set_xlim(1.5, ends[-1] - 1.5)

# %%
# As a data frame, the output has one row for each clip, and the column names contain the tags.
table = musicnn.set_output(transform="pandas").transform([clip])
print(table.T[0].sort_values(ascending=False).head(3).round(2))

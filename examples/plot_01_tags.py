"""
A clip to tags
==============

MusiCNN was trained to tag songs. Its last layer gives the probability of fifty tags, of which some
are moods ("happy", "sad", "chillout"), every few hundred milliseconds.
"""

# %%
# Four generated clips of one artist, one from each quadrant of emotion, one after the other. Q1 is
# high arousal and high valence; the others follow counter-clockwise.
import numpy as np

from skmer.audio import read_audio
from skmer.datasets import load_toy_emotions

songs = load_toy_emotions().frame
four = songs[songs["group"] == songs["group"][0]].groupby("label").first()
waveforms = [read_audio(path, sr=16000)[0] for path in four["path"]]
clip = np.concatenate(waveforms), 16000

# %%
# ``layer="tags"`` chooses the last layer, ``hop_size`` how often it is computed. A clip may be a
# path, a waveform, or as here a waveform and its rate.
#
# Most tags are rare, so a scale of ratios shows more. The lines are where one clip ends and the
# next begins; each frame of the network spans three seconds.
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
# The columns carry the tags' names. One row a clip, for a classifier or a table:
table = musicnn.set_output(transform="pandas").transform([clip])
print(table.T[0].sort_values(ascending=False).head(3).round(2))

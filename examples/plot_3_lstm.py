"""
Frame sequences into an LSTM
============================

Without pooling a transformer gives one row a frame. Clips of different lengths become one array
with zeros at the end, and the recurrent network masks those.
"""

# %%
# Clips may be paths, waveforms, or pairs of a waveform and its rate. These are cut to between one
# and two seconds.
import numpy as np
import soundfile

from skmer.datasets import load_toy_emotions

toy = load_toy_emotions()
seconds = np.random.default_rng(0).uniform(1.0, 2.0, len(toy.data))
clips = []
for path, length in zip(toy.data, seconds):
    audio, sr = soundfile.read(path, dtype="float32")
    clips.append((audio[: int(length * sr)], sr))

# %%
# Without statistics the MFCC transformer gives its 20 coefficients every 93 ms. ``L3Transformer``
# and ``VGGishTransformer`` do the same with ``pooling=None``.
from skmer import MFCCStatsTransformer

mfcc = MFCCStatsTransformer(statistics=None, hop_length=2048)
frames = mfcc.fit_transform(clips)
print(frames.shape)

# %%
# ``SequenceScaler`` standardizes the features over the frames of the training clips and leaves the
# padding at zero. Groups reach the classifier by scikit-learn's metadata routing, so that the clips
# that choose the epoch are by artists who are not trained on.
import sklearn
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from skmer.classifiers import KerasLSTMClassifier, SequenceScaler

splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
train, test = next(splitter.split(frames, groups=toy.groups))
with sklearn.config_context(enable_metadata_routing=True):
    lstm = KerasLSTMClassifier(
        units=32, epochs=60, patience=20, validation_fraction=0.25, random_state=0
    )
    model = make_pipeline(SequenceScaler(), lstm.set_fit_request(groups=True))
    model.fit(frames[train], toy.target[train], groups=toy.groups[train])
print(f"accuracy on held-out artists: {model.score(frames[test], toy.target[test]):.2f}")

# %%
# On the left what the network gets: clips as rows, frames as columns, the padding white. On the
# right its training; the weights of the marked epoch are the ones that are kept.
import matplotlib.pyplot as plt

fitted = model[-1]
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")
level = np.linalg.norm(frames, axis=2)
left.imshow(np.ma.masked_equal(level, 0), aspect="auto", interpolation="nearest")
left.set(xlabel="frame, one every 93 ms", ylabel="clip", title="norm of the coefficients")
right.plot(fitted.history_["loss"], label="training clips", color="#0072B2")
right.plot(fitted.history_["val_loss"], label="validation clips", color="#D55E00")
right.axvline(fitted.best_epoch_, color="#555555", linestyle="--", label="epoch kept")
right.set(xlabel="epoch", ylabel="cross-entropy", title="training of the LSTM")
right.legend(frameon=False)
right.spines[["top", "right"]].set_visible(False)

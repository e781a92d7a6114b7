"""
Frame sequences for an LSTM
===========================

Without pooling a transformer returns one row for each frame, so that a recurrent network can use the order of the
frames. Clips of different lengths are padded with zeros at the end, and the network masks the padding.
"""

# %%
# The embedding of every half second, as an array with three dimensions.
from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
musicnn = MusiCNNTransformer(
    layer="penultimate", hop_size=0.5, pooling=None, memory=get_data_home() / "cache"
)
frames = musicnn.fit_transform(toy.data)
print("clips, frames, features:", frames.shape)

# %%
# ``SequenceScaler`` standardizes the features over the frames of the training clips and leaves the
# padding at zero. Scikit-learn's metadata routing passes the groups to the classifier, so that the validation
# clips, on which the epoch is chosen, are by artists who are not in the training set.
import sklearn
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline

from skmer.classifiers import KerasLSTMClassifier, SequenceScaler

splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
train, test = next(splitter.split(frames, groups=toy.groups))
with sklearn.config_context(enable_metadata_routing=True):
    lstm = KerasLSTMClassifier(
        units=32, epochs=25, patience=10, validation_fraction=0.25, random_state=0
    )
    model = make_pipeline(SequenceScaler(), lstm.set_fit_request(groups=True))
    model.fit(frames[train], toy.target[train], groups=toy.groups[train])
print(f"accuracy on held-out artists: {model.score(frames[test], toy.target[test]):.2f}")

# %%
# On the left: a clip, as the input of the network. On the right: the training of the network, which keeps
# the weights of the marked epoch.
import matplotlib.pyplot as plt

scaler, fitted = model[0], model[-1]
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")
clip = scaler.transform(frames[test[:1]])[0]
left.imshow(clip.T, aspect="auto", interpolation="nearest", cmap="RdBu_r", vmin=-3, vmax=3)
left.set(xlabel="frame, one every 0.5 s", ylabel="feature", title="a clip, standardized")
right.plot(fitted.history_["loss"], label="training clips", color="#0072B2")
right.plot(fitted.history_["val_loss"], label="validation clips", color="#D55E00")
right.axvline(fitted.best_epoch_, color="#555555", linestyle="--", label="epoch kept")
right.set(xlabel="epoch", ylabel="cross-entropy", title="training of the LSTM")
right.legend(frameon=False)
right.spines[["top", "right"]].set_visible(False)

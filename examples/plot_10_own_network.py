"""
Your own network
================

``ClipFunctionTransformer`` converts any function from frames to vectors to a transformer with reading, resampling,
cache, pooling and ``evaluate``. This example uses a Keras network; :ref:`own_network` has examples for torch and ONNX.
"""

# %%
# Three convolutions over the waveform, with random weights. A trained network should have a higher score
# than this one.
import keras

keras.utils.set_random_seed(0)
network = keras.Sequential(
    [
        keras.Input((16000, 1)),
        keras.layers.Conv1D(32, 64, strides=16, activation="relu"),
        keras.layers.Conv1D(64, 16, strides=8, activation="relu"),
        keras.layers.Conv1D(64, 8, strides=4, activation="relu"),
        keras.layers.GlobalMaxPooling1D(),
    ]
)


def embed(frames):
    """Frames of shape (n, 16000) to vectors of shape (n, 64)."""
    return network.predict(frames[..., None], verbose=0)


# %%
# ``target_sr`` and ``frame_size`` define the input of the function. ``version`` represents the code
# and the weights in the cache key: change it if the code or the weights change.
from skmer import ClipFunctionTransformer, MFCCStatsTransformer, MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
cache = get_data_home() / "cache"
mine = ClipFunctionTransformer(
    embed, target_sr=16000, frame_size=1.0, name="mine", memory=cache, version="1"
)
print(mine.fit_transform(toy.data).shape)

# %%
# ``evaluate`` compares the network with other features.
from skmer.evaluation import AccuracyBarsDisplay, evaluate

result = evaluate(
    {"mine": mine, "mfcc": MFCCStatsTransformer(), "musicnn": MusiCNNTransformer(memory=cache)},
    ["svm", "nb"],
    toy.data,
    toy.target,
    groups=toy.groups,
    preset="koh2021",
    n_repeats=1,
)
display = AccuracyBarsDisplay.from_frame(result.intervals(), chance=0.25)
_ = display.figure_.suptitle("A network with random weights, the baseline, and a trained network")

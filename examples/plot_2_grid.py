"""
A grid over features and classifiers
====================================

``evaluate`` computes every feature once, fits every classifier on every split, and keeps scores
and predictions. Here L3-Net with random weights meets MFCC statistics and the two side by side.
"""

# %%
# Features are names, or transformers and arrays under a name of your own. Names take the settings
# of a preset; coarse settings are chosen here to keep the example short, and half of the clips.
from tempfile import TemporaryDirectory

from sklearn.pipeline import make_union

from skmer import L3Transformer, MFCCStatsTransformer
from skmer.datasets import load_toy_emotions

clips = load_toy_emotions().frame.iloc[:40]
folder = TemporaryDirectory()
l3 = L3Transformer(
    weights=None,
    random_state=0,
    input_repr="mel128",
    hop_size=1.0,
    center=False,
    memory=folder.name,
)
mfcc = MFCCStatsTransformer()
features = {"l3": l3, "mfcc": mfcc, "both": make_union(l3, mfcc)}

# %%
# Classifiers by name are the study's six: "koh2021" as it states them, "tuned" standardized and
# searched inside the training part of each split.
#
# The protocol "grouped" is repeated stratified group k-fold: no artist is both trained on and
# tested. One repeat of five folds makes five fits for each pair.
from skmer.evaluation import evaluate

result = evaluate(
    features,
    ["svm", "nb", "rf"],
    clips["path"],
    clips["label"],
    groups=clips["group"],
    protocol="grouped",
    preset="koh2021",
    n_repeats=1,
)
result.summary()[["feature", "classifier", "weights", "n_splits", "f1_macro", "accuracy"]]

# %%
# Bars are means over the splits, their lines the standard deviation.
from skmer.evaluation import AccuracyBarsDisplay

display = AccuracyBarsDisplay.from_scores(result.scores, chance=0.25)
_ = display.figure_.suptitle("Toy emotions, artists held out; L3-Net with random weights")

# %%
# Differences of a few points on 40 clips are noise. The comparison pairs the splits, allows for
# the training clips that they share, and corrects for the number of pairs.
comparison = result.compare()
columns = ["feature_1", "classifier_1", "feature_2", "classifier_2", "difference", "pvalue_holm"]
comparison.sort_values("pvalue")[columns].head(3)

# %%
folder.cleanup()

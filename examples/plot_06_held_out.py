"""
Held-out artists against random splits
======================================

With random splits, clips of one artist are both in the training set and in the test set, and a classifier may
recognize the artist instead of the emotion. The gap is the difference between the scores on random splits and on
splits that keep artists apart. Report it with every score on random splits.
"""

# %%
# We run both protocols on the same features with the same classifiers. "koh2021" has random splits of 80/10/10 %,
# as in Koh and Dubnov (2021); "grouped" is repeated stratified group k-fold.
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MFCCStatsTransformer, MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions
from skmer.evaluation import evaluate

toy = load_toy_emotions()
classifiers = {
    "svm": make_pipeline(StandardScaler(), SVC(C=10)),
    "nb": GaussianNB(),
    "rf": RandomForestClassifier(50, random_state=0),
}
features = {
    "musicnn": MusiCNNTransformer(memory=get_data_home() / "cache"),
    "mfcc": MFCCStatsTransformer(),
}
result = evaluate(
    features,
    classifiers,
    toy.data,
    toy.target,
    groups=toy.groups,
    protocol=["koh2021", "grouped"],
    audit=False,
)
columns = ["feature", "classifier", "protocol", "n_splits", "accuracy", "accuracy_std"]
result.summary()[columns].round(2)

# %%
from skmer.evaluation import GapDisplay

display = GapDisplay.from_frame(result.scores, random="koh2021", grouped="grouped")
_ = display.ax_.axvline(0.25, color="#555555", linestyle="--", linewidth=0.9)
_ = display.ax_.annotate("chance", (0.252, 0.04), xycoords=("data", "axes fraction"))

# %%
# Do the features identify the artist? The audit checks this with the nearest neighbours of each clip, and also
# searches for groups on both sides of a split and for near-duplicates.
from skmer.evaluation import audit

rows = features["mfcc"].fit_transform(toy.data)
print(audit(rows, toy.target, groups=toy.groups))

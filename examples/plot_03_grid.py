"""
A grid over features and classifiers
====================================

``evaluate`` computes every feature once, fits every classifier on every split, and returns scores
and predictions. This example compares MusiCNN, the MFCC statistics (the baseline), and both features joined.
"""

# %%
# Features are given by name, or as a dict of transformers or arrays under your own names.
from sklearn.pipeline import make_union

from skmer import MFCCStatsTransformer, MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
musicnn = MusiCNNTransformer(layer="mean_pool", memory=get_data_home() / "cache")
mfcc = MFCCStatsTransformer()
features = {"musicnn": musicnn, "mfcc": mfcc, "both": make_union(musicnn, mfcc)}

# %%
# Classifiers are also given by name (the six of a published study), or as a dict of estimators. The
# protocol "grouped" is repeated stratified group k-fold: no artist is in both the training and the test set.
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer.evaluation import evaluate

classifiers = {
    "svm": make_pipeline(StandardScaler(), SVC(C=10)),
    "nb": GaussianNB(),
    "rf": RandomForestClassifier(random_state=0),
}
result = evaluate(
    features, classifiers, toy.data, toy.target, groups=toy.groups, protocol="grouped", n_repeats=2
)
result.summary()[["feature", "classifier", "n_splits", "accuracy", "f1_macro"]].round(2)

# %%
# The lines are 95 % intervals of a bootstrap over whole artists.
from skmer.evaluation import AccuracyBarsDisplay

display = AccuracyBarsDisplay.from_frame(result.intervals(), chance=0.25)
_ = display.figure_.suptitle("Toy emotions, artists held out")

# %%
# Differences of a few percentage points on 80 clips are noise. The comparison pairs the splits, takes into account
# that the training sets overlap, and corrects for the number of pairs.
comparison = result.compare()
columns = ["feature_1", "classifier_1", "feature_2", "classifier_2", "difference", "pvalue_holm"]
comparison.sort_values("pvalue")[columns].head(3).round(3)

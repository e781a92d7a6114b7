"""
A grid over features and classifiers
====================================

``evaluate`` computes every feature once, fits every classifier on every split, and keeps scores
and predictions. Here MusiCNN is compared with MFCC statistics, the baseline, and with both side by side.
"""

# %%
# Features are names, or transformers and arrays under a name of your own.
from sklearn.pipeline import make_union

from skmer import MFCCStatsTransformer, MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
musicnn = MusiCNNTransformer(layer="mean_pool", memory=get_data_home() / "cache")
mfcc = MFCCStatsTransformer()
features = {"musicnn": musicnn, "mfcc": mfcc, "both": make_union(musicnn, mfcc)}

# %%
# Classifiers too are names, six of a published study, or estimators under a name of your own. The
# protocol "grouped" is repeated stratified group k-fold: no artist is both trained on and tested.
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
# Lines are 95 % intervals by a bootstrap that draws whole artists.
from skmer.evaluation import AccuracyBarsDisplay

display = AccuracyBarsDisplay.from_frame(result.intervals(), chance=0.25)
_ = display.figure_.suptitle("Toy emotions, artists held out")

# %%
# Differences of a few points on 80 clips are noise. The comparison pairs the splits, allows for
# the training clips that they share, and corrects for the number of pairs.
comparison = result.compare()
columns = ["feature_1", "classifier_1", "feature_2", "classifier_2", "difference", "pvalue_holm"]
comparison.sort_values("pvalue")[columns].head(3).round(3)

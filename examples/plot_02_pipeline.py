"""
From files to emotions: a pipeline
==================================

A transformer takes paths and returns one row for each clip. So it can be the first step of any scikit-learn
pipeline, and can be used in any search and any cross-validation.
"""

# %%
# The clips are generated: 6.5 seconds each, played by ten invented artists in the four quadrants of
# emotion (Q1 is high arousal and high valence, then counter-clockwise).
from skmer.datasets import load_toy_emotions

toy = load_toy_emotions()
toy.frame[["label", "group"]].head(3)

# %%
# ``memory`` names a folder that caches the frames of every clip. So the network runs once for each clip, for any
# fold, pooling and classifier, in this run and in later ones.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home

musicnn = MusiCNNTransformer(layer="penultimate", memory=get_data_home() / "cache")
pipeline = make_pipeline(musicnn, StandardScaler(), SVC())

# %%
# A grid search over the pooling and over the classifier's C. The folds keep artists apart.
from sklearn.model_selection import GridSearchCV, GroupKFold

search = GridSearchCV(
    pipeline,
    {"musicnntransformer__pooling": ["mean", ("mean", "std")], "svc__C": [1, 10]},
    cv=GroupKFold(5),
)
search.fit(toy.data, toy.target, groups=toy.groups)
print(search.best_params_)

# %%
# Every clip is predicted by a pipeline that was trained on no clip of its artist; guessing is right for
# one clip in four.
from sklearn.model_selection import cross_val_predict

from skmer.evaluation import ConfusionDisplay

predicted = cross_val_predict(
    search.best_estimator_, toy.data, toy.target, groups=toy.groups, cv=GroupKFold(5)
)
display = ConfusionDisplay.from_predictions(toy.target, predicted, cmap="Blues", colorbar=False)
right = (predicted == toy.target).mean()
_ = display.ax_.set_title(f"MusiCNN and SVM, artists held out: {right:.0%} right")

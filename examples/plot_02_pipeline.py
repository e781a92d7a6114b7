"""
From files to emotions: a pipeline
==================================

A transformer takes paths and gives one row a clip, so it goes in front of any scikit-learn
classifier, into any search and any cross-validation.
"""

# %%
# The clips are generated: 6.5 seconds each, played by ten invented artists in the four quadrants of
# emotion (Q1 is high arousal and high valence, then counter-clockwise).
from skmer.datasets import load_toy_emotions

toy = load_toy_emotions()
toy.frame[["label", "group"]].head(3)

# %%
# ``memory`` names a folder that keeps the frames of every clip. The network then runs once a clip,
# whatever the fold, the pooling or the classifier, in this run and in later ones.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home

musicnn = MusiCNNTransformer(layer="penultimate", memory=get_data_home() / "cache")
pipeline = make_pipeline(musicnn, StandardScaler(), SVC())

# %%
# A grid over the pooling and over the classifier. The folds keep artists apart.
from sklearn.model_selection import GridSearchCV, GroupKFold

search = GridSearchCV(
    pipeline,
    {"musicnntransformer__pooling": ["mean", ("mean", "std")], "svc__C": [1, 10]},
    cv=GroupKFold(5),
)
search.fit(toy.data, toy.target, groups=toy.groups)
print(search.best_params_)

# %%
# Every clip is predicted by a pipeline that was trained on none of its artist's clips; guessing names
# one in four.
from sklearn.model_selection import cross_val_predict

from skmer.evaluation import ConfusionDisplay

predicted = cross_val_predict(
    search.best_estimator_, toy.data, toy.target, groups=toy.groups, cv=GroupKFold(5)
)
display = ConfusionDisplay.from_predictions(toy.target, predicted, cmap="Blues", colorbar=False)
right = (predicted == toy.target).mean()
_ = display.ax_.set_title(f"MusiCNN and SVM, artists held out: {right:.0%} right")

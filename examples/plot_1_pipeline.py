"""
From files to scores: a pipeline with an SVC
============================================

A transformer takes paths and gives one row a clip, so it goes in front of any scikit-learn
classifier. Here it is L3-Net with random weights; without ``weights=None`` the published weights
are fetched once and verified.
"""

# %%
# The clips are generated: two seconds each, played by invented artists in the four quadrants of
# emotion (Q1 is high arousal and high valence, then counter-clockwise). Half of them will do.
from skmer.datasets import load_toy_emotions

clips = load_toy_emotions().frame.iloc[:40]
clips.head(3)

# %%
# ``memory`` names a folder that keeps the frames of every clip. The network then runs once a clip,
# whatever the fold, the pooling or the classifier.
from tempfile import TemporaryDirectory

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import L3Transformer

folder = TemporaryDirectory()
l3 = L3Transformer(
    weights=None,
    random_state=0,
    input_repr="mel128",
    hop_size=1.0,
    center=False,
    memory=folder.name,
)
pipeline = make_pipeline(l3, StandardScaler(), SVC())

# %%
# A grid over the pooling and over the classifier. The folds keep artists apart.
from sklearn.model_selection import GridSearchCV, GroupKFold

search = GridSearchCV(
    pipeline,
    {"l3transformer__pooling": ["mean", ("mean", "std")], "svc__C": [1, 10]},
    cv=GroupKFold(5),
)
paths, emotions, artists = clips["path"], clips["label"], clips["group"]
search.fit(paths, emotions, groups=artists)
print(search.best_params_)

# %%
# Every clip is predicted by a pipeline that has heard none of its artist's clips. With random
# weights and unknown artists this is little better than the 25 % of a guess.
from sklearn.model_selection import cross_val_predict

from skmer.evaluation import ConfusionDisplay

predicted = cross_val_predict(
    search.best_estimator_, paths, emotions, groups=artists, cv=GroupKFold(5)
)
display = ConfusionDisplay.from_predictions(emotions, predicted, cmap="Blues", colorbar=False)
_ = display.ax_.set_title("L3-Net with random weights, artists held out")

# %%
folder.cleanup()

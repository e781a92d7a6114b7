"""
Which tags a classifier uses
============================

Permutation importance measures how much a classifier on MusiCNN's tags depends on each tag: one tag after the
other is shuffled over the clips of unseen artists, and the importance is the decrease of the probability of the
emotion.
"""

# %%
# A table with one row for each clip and one column for each of the fifty tags.
from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
musicnn = MusiCNNTransformer(layer="tags", memory=get_data_home() / "cache")
table = musicnn.set_output(transform="pandas").fit_transform(toy.data)
table.columns = table.columns.str.removeprefix("musicnn_mean_")
table.groupby(toy.target).mean().T.nlargest(5, "Q1").round(2)

# %%
# The clips are synthetic, so the tags are not those that a listener would choose ("jazz" for a
# synthesizer), but they differ between the emotions. The lines are 95 %
# intervals over the folds: if a line crosses zero, the tag may have no importance.
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmer.evaluation import TagImportanceDisplay

classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
display = TagImportanceDisplay.from_estimator(classifier, table, toy.target, groups=toy.groups)
display.ax_.locator_params(axis="x", nbins=5)
_ = display.ax_.set_title("which tags speak for which emotion")

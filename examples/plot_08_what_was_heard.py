"""
What the network heard
======================

A classifier on MusiCNN's tags can be asked which tags it goes by: each tag in turn is shuffled
over the clips of unseen artists, and what the emotion's probability loses is what the tag was
worth.
"""

# %%
# Fifty tags a clip, in a table whose columns are their names.
from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
musicnn = MusiCNNTransformer(layer="tags", memory=get_data_home() / "cache")
table = musicnn.set_output(transform="pandas").fit_transform(toy.data)
table.columns = table.columns.str.removeprefix("musicnn_mean_")
table.groupby(toy.target).mean().T.nlargest(5, "Q1").round(2)

# %%
# The clips are synthetic, so the tags are not the names that a listener would give ("jazz" for a
# synthesizer); what differs from emotion to emotion still distinguishes them. Lines are 95 %
# intervals over the folds: where one crosses zero, the tag may be worth nothing.
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmer.evaluation import TagImportanceDisplay

classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
display = TagImportanceDisplay.from_estimator(classifier, table, toy.target, groups=toy.groups)
display.ax_.locator_params(axis="x", nbins=5)
_ = display.ax_.set_title("which tags speak for which emotion")

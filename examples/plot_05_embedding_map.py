"""
Embeddings compared on a map
============================

An embedding suits a task if clips with the same label are near each other. A map
by t-SNE shows this, and the purity of the neighbours measures it, without a classifier.
"""

# %%
# We embed the same clips with the baseline and with two layers of MusiCNN, and standardize each column.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmer import MFCCStatsTransformer, MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
cache = get_data_home() / "cache"
transformers = {
    "MFCC": MFCCStatsTransformer(),
    "MusiCNN, tags": MusiCNNTransformer(layer="tags", memory=cache),
    "MusiCNN, mean_pool": MusiCNNTransformer(layer="mean_pool", memory=cache),
}
features = {
    name: make_pipeline(transformer, StandardScaler()).fit_transform(toy.data)
    for name, transformer in transformers.items()
}

# %%
# The upper row is coloured by emotion, the lower row by artist. If clips of an artist are near each other,
# random splits give a score that is too high, see :ref:`protocols`.
import matplotlib.pyplot as plt

from skmer.evaluation import EmbeddingMapDisplay

figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.4), layout="constrained")
for column, (name, rows) in zip(axes.T, features.items()):
    for ax, (what, labels) in zip(column, (("emotion", toy.target), ("artist", toy.groups))):
        EmbeddingMapDisplay.from_features(rows, labels, name=what, perplexity=15, ax=ax)
    column[0].set_title(f"{name}\n{column[0].get_title()}", fontsize="small")
for ax in axes[:, :-1].flat:
    ax.get_legend().remove()

# %%
# The purity is the share of a clip's five nearest neighbours that have the label of the clip; the values by chance
# are 0.24 for emotions and 0.09 for artists.
from skmer.evaluation import neighbor_purity

for name, rows in features.items():
    emotion, artist = (neighbor_purity(rows, y, n_neighbors=5) for y in (toy.target, toy.groups))
    print(f"{name:20} emotion {emotion:.2f}  artist {artist:.2f}")

"""
A search over the layers of a network
=====================================

A grid search can find the layer of a pretrained network that is best for emotion. ``layer`` is a
parameter like any other, and the network runs once for each clip and all layers, see :ref:`hub`. This example
needs ``pip install "skmer[hub]"``.
"""

# %%
# Usually the model is a name on the hub, such as ``facebook/wav2vec2-base``. This example uses a small
# wav2vec 2.0 with random weights in a folder, so that it needs no download. Its scores do not describe
# the trained wav2vec 2.0.
from tempfile import TemporaryDirectory

import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

folder = TemporaryDirectory()
torch.manual_seed(0)
config = Wav2Vec2Config(
    hidden_size=64,
    num_hidden_layers=4,
    num_attention_heads=4,
    intermediate_size=128,
    conv_dim=(32,) * 7,
    num_conv_pos_embeddings=32,
    num_conv_pos_embedding_groups=4,
)
Wav2Vec2Model(config).save_pretrained(f"{folder.name}/net")
Wav2Vec2FeatureExtractor().save_pretrained(f"{folder.name}/net")

# %%
# ``memory`` caches all layers of a clip in one entry. No artist is on both sides of a split.
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import HubTransformer
from skmer.datasets import load_toy_emotions
from skmer.utils import ClipCache

toy = load_toy_emotions()
hub = HubTransformer(f"{folder.name}/net", memory=f"{folder.name}/cache")
pipeline = make_pipeline(hub, StandardScaler(), SVC())
grid = {"hubtransformer__layer": [0, 1, 2, 3, 4, "all"]}
search = GridSearchCV(pipeline, grid, cv=StratifiedGroupKFold(4))
search.fit(toy.data, toy.target, groups=toy.groups)
f"{len(toy.data)} clips, {len(ClipCache(f'{folder.name}/cache'))} entries of the cache"

# %%
# A score for each layer, and for all of them side by side.
import pandas as pd

scores = pd.DataFrame(search.cv_results_)
scores = scores.set_index(scores["param_hubtransformer__layer"].astype(str))
ax = scores["mean_test_score"].plot.bar(yerr=scores["std_test_score"], color="#0072B2", rot=0)
ax.axhline(0.25, color="0.5", linestyle="--", linewidth=1)
_ = ax.set(xlabel="layer", ylabel="accuracy, artists held out")

# %%
# A search chooses the best layer on the same clips that give its score, so that this score is too high. To get a
# score to report, evaluate the search itself: ``cross_validate(search, ...)``, or pass the search to ``evaluate``.
folder.cleanup()

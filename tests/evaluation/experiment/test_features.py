"""Which view of a feature each classifier gets."""

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmer.embeddings import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.evaluation.experiment._features import (
    FRAMES,
    MATRIX,
    VECTOR,
    extract,
    make_transformers,
    view_name,
)

N_CLIPS = 3


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=8000 + 4000 * i) / 10, 8000) for i in range(N_CLIPS)]


def make(features, *, preset="tuned", weights=None):
    return make_transformers(
        features, preset=preset, weights=weights, random_state=5,
        memory="cache", n_jobs=2, verbose=False,
    )  # fmt: skip


@pytest.mark.parametrize(("preset", "hop"), [("koh2021", 0.1), ("tuned", 0.5)])
def test_named_features_have_the_settings_of_the_preset(preset, hop):
    made = make(["l3", "vggish", "mfcc"], preset=preset)
    assert isinstance(made["l3"], L3Transformer)
    assert made["l3"].hop_size == hop
    assert isinstance(made["vggish"], VGGishTransformer)
    assert isinstance(made["mfcc"], MFCCStatsTransformer)
    assert all(one.memory == "cache" and one.n_jobs == 2 for one in made.values())
    assert made["l3"].random_state == made["vggish"].random_state == 5


def test_weights_by_feature():
    made = make(["l3", "vggish"], weights={"l3": None, "vggish": "a.ckpt"})
    assert (made["l3"].weights, made["vggish"].weights) == (None, "a.ckpt")
    assert make(["l3", "vggish"], weights={"l3": None})["vggish"].weights == "pretrained"


@pytest.mark.parametrize(
    ("feature", "classifier", "preset", "sequences", "expected"),
    [
        (MFCCStatsTransformer(), "svm", "koh2021", False, VECTOR),
        (MFCCStatsTransformer(), "cnn", "koh2021", False, MATRIX),
        (MFCCStatsTransformer(), "lstm", "koh2021", False, MATRIX),
        (MFCCStatsTransformer(), "lstm", "tuned", True, VECTOR),
        (L3Transformer(), "lstm", "koh2021", False, VECTOR),
        (L3Transformer(), "lstm", "tuned", True, FRAMES),
        (FunctionTransformer(), "lstm", "tuned", True, VECTOR),
    ],
)
def test_views(feature, classifier, preset, sequences, expected):
    assert view_name(feature, classifier, preset=preset, sequences=sequences) == expected


def test_the_matrix_is_the_studys(clips):
    views = extract(MFCCStatsTransformer(), {VECTOR, MATRIX}, clips, name="mfcc", n_clips=N_CLIPS)
    assert views[VECTOR].X.shape == (N_CLIPS, 120)
    assert views[MATRIX].X.shape == (N_CLIPS, 1500, 20)


def test_two_views_of_a_network_are_of_the_same_frames(clips):
    network = VGGishTransformer(weights=None, random_state=0)
    views = extract(network, {VECTOR, FRAMES}, clips, name="vggish", n_clips=N_CLIPS)
    assert views[FRAMES].X.shape[::2] == (N_CLIPS, 128)
    first = network.fit(clips).transform_frames(clips)[0]
    assert np.array_equal(views[FRAMES].X[0, : len(first)], first)
    assert np.allclose(views[VECTOR].X[0], first.mean(axis=0), rtol=1e-5)
    assert views[VECTOR].weights_label.startswith("random")
    assert views[VECTOR].weights_digest
    assert network.memory is None


def test_what_trains_nothing_may_be_combined(clips):
    union = FeatureUnion([("a", MFCCStatsTransformer()), ("b", "drop")])
    both = make_pipeline(union, "passthrough", FunctionTransformer(np.abs))
    assert make({"both": both})["both"] is both
    with pytest.raises(ValueError, match="learns from the clips"):
        make({"scaled": FeatureUnion([("a", StandardScaler())])})

"""Which input of a feature each classifier gets, and what is told of its weights."""

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmer.embeddings import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.evaluation.features import (
    FRAMES,
    MATRIX,
    VECTOR,
    Feature,
    choose_input,
    make_features,
    make_transformers,
    weights_of,
)
from skmer.exceptions import FeatureLeftOutWarning, InputError, WeightsNotFoundError

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


def test_a_misspelt_name_among_the_weights_is_refused():
    with pytest.raises(InputError, match=r"keys are of .*l3, vggish.* Got the key 'L3'"):
        make(["l3"], weights={"L3": None})


@pytest.mark.parametrize(
    ("feature", "classifier", "preset", "expected"),
    [
        (MFCCStatsTransformer(), "svm", "koh2021", VECTOR),
        (MFCCStatsTransformer(), "cnn", "koh2021", MATRIX),
        (MFCCStatsTransformer(), "lstm", "koh2021", MATRIX),
        (MFCCStatsTransformer(), "lstm", "tuned", VECTOR),
        (L3Transformer(), "lstm", "koh2021", VECTOR),
        (L3Transformer(), "lstm", "tuned", FRAMES),
        (FunctionTransformer(), "lstm", "tuned", VECTOR),
        (np.zeros((3, 2)), "lstm", "tuned", VECTOR),
        (MFCCStatsTransformer(), None, "koh2021", VECTOR),
    ],
)
def test_inputs(feature, classifier, preset, expected):
    assert choose_input(feature, classifier, preset=preset) == expected


def test_the_matrix_is_the_studys(clips):
    inputs = Feature("it", MFCCStatsTransformer(), {VECTOR, MATRIX}, clips).compute(clips).inputs
    assert inputs[VECTOR].shape == (N_CLIPS, 120)
    assert inputs[MATRIX].shape == (N_CLIPS, 1500, 20)


def test_two_inputs_of_a_network_are_of_the_same_frames(clips):
    network = VGGishTransformer(weights=None, random_state=0)
    computed = Feature("it", network, {VECTOR, FRAMES}, clips).compute(clips)
    assert computed.inputs[FRAMES].shape[::2] == (N_CLIPS, 128)
    first = network.fit(clips).transform_frames(clips)[0]
    assert np.array_equal(computed.inputs[FRAMES][0, : len(first)], first)
    assert np.allclose(computed.inputs[VECTOR][0], first.mean(axis=0), rtol=1e-5)
    assert computed.weights.random
    assert computed.weights.label.startswith("random")
    assert computed.weights.digest
    assert network.memory is None


@pytest.mark.parametrize("wrap", [make_union, lambda *parts: make_pipeline(make_union(*parts))])
def test_random_weights_in_a_part_are_random_weights_of_the_whole(clips, wrap):
    union = wrap(VGGishTransformer(weights=None, random_state=0), MFCCStatsTransformer())
    weights = Feature("it", union, {VECTOR}, clips).compute(clips).weights
    assert weights.random
    assert weights.label.startswith("random weights (seed ")


def test_a_file_is_not_random_for_its_name():
    class Network(FunctionTransformer):
        weights_label_ = "random_crop.h5"
        weights_digest_ = "0"
        weights_are_random_ = False

    assert weights_of(Network()).label == "random_crop.h5"
    assert not weights_of(Network()).random


def test_features_that_cannot_be_had(clips, monkeypatch):
    def refuse(self):
        raise WeightsNotFoundError("The weights are not there; put them there.")

    monkeypatch.setattr(L3Transformer, "_fit_network", refuse)
    transformers = {"l3": L3Transformer(), "both": make_union(L3Transformer()), "a": np.eye(3)}

    def had(given, X=clips, optional=False):
        return make_features(given, {name: {VECTOR} for name in given}, X, optional=optional)

    with pytest.raises(WeightsNotFoundError, match="put them there"):
        had({"l3": L3Transformer()})
    with pytest.warns(FeatureLeftOutWarning, match=r"feature '(l3|both)' is left out: .* put them"):
        kept, left_out = had(transformers, optional=True)
    assert list(kept) == ["a"]
    with pytest.raises(WeightsNotFoundError):
        had({"l3": L3Transformer(weights="mine.h5")}, optional=True)
    assert left_out == dict.fromkeys(["l3", "both"], "The weights are not there; put them there.")
    with pytest.raises(InputError, match="feature 'l3' is a transformer and needs clips"):
        had(transformers, X=None)


def test_what_trains_nothing_may_be_combined(clips):
    union = FeatureUnion([("a", MFCCStatsTransformer()), ("b", "drop")])
    both = make_pipeline(union, "passthrough", FunctionTransformer(np.abs))
    assert make({"both": both})["both"] is both
    with pytest.raises(ValueError, match="learns from the clips"):
        make({"scaled": FeatureUnion([("a", StandardScaler())])})

"""What is computed of a feature, its weights, and its map."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmer.embeddings import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.evaluation import evaluate, evaluate_regression
from skmer.evaluation.features import (
    FRAMES,
    MATRIX,
    MAX_POINTS,
    VECTOR,
    Feature,
    choose_input,
    make_features,
    make_transformers,
    map_clips,
    weights_of,
)
from skmer.exceptions import FeatureLeftOutWarning, InputError, WeightsNotFoundError

N_CLIPS = 3
LABELS = np.tile(["calm", "sad"], 10)


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


def run(features, X=None, **options):
    return evaluate(
        features, {"most": DummyClassifier()}, X, LABELS,
        protocol="koh2021", n_repeats=2, audit=False, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def feature():
    return np.random.default_rng(0).normal(size=(20, 4))


def test_a_map_for_each_feature_that_tells_clips_apart(feature):
    frames = np.stack([feature - 1, feature + 1, feature], axis=1)
    maps = run(
        {
            "a": feature,
            "frames": frames,
            "one": feature[:, :1],
            "large": 1e12 * feature,
            "same": np.ones((20, 3)),
        }
    ).maps
    assert list(maps) == ["feature", "row", "x", "y"]
    assert set(maps["feature"]) == {"a", "frames", "one", "large"}
    assert maps["row"].tolist() == 4 * list(range(20))
    assert np.isfinite(maps[["x", "y"]]).all(axis=None)
    a, of_frames = (maps[maps["feature"] == name][["x", "y"]] for name in ("a", "frames"))
    # The mean over frames is the very feature.
    assert np.allclose(np.abs(a), np.abs(of_frames), atol=0.5)


def test_like_clips_are_near_each_other_whatever_the_unit():
    far = np.where(LABELS == "sad", 5, -5) + np.random.default_rng(0).normal(size=20)
    places = run({"a": np.column_stack([1e-6 * far, 1e-6 * far])}).maps[["x", "y"]].to_numpy()
    distances = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(20)
    assert (LABELS[distances.argmin(axis=1)] == LABELS).all()


def test_maps_are_the_same_again(feature):
    first, again = (run({"a": feature}, n_jobs=n_jobs).maps for n_jobs in (None, 1))
    assert first.equals(again)


def test_of_many_clips_some_are_drawn(monkeypatch):
    monkeypatch.setitem(map_clips.__globals__, "MAX_POINTS", 12)
    vectors = np.random.default_rng(0).normal(size=(30, 2))
    maps = map_clips({"a": vectors, "b": vectors}, np.arange(30) + 100, seed=0, n_jobs=None)
    rows = maps["row"].to_numpy().reshape(2, 12)
    assert (rows[0] == rows[1]).all()
    assert np.unique(rows[0]).size == 12
    assert MAX_POINTS == 2000


def test_too_few_clips_have_no_map():
    X = np.random.default_rng(0).normal(size=(4, 2))
    result = evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, X[:, 0], protocol="shuffled", n_folds=2, audit=False
    )
    assert result.maps.empty

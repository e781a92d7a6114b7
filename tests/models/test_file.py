"""Models on disk: the same numbers, the card, what is not saved, and what is not loaded."""

import copy
import gzip
import hashlib
import io
import json
import zipfile
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import skops.io
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skmer import ClipFunctionTransformer, MFCCStatsTransformer, VGGishTransformer
from skmer.classifiers import (
    KerasLSTMClassifier,
    KerasMLPClassifier,
    TagClassifier,
    make_classifier,
)
from skmer.evaluation.tasks import make_regressor
from skmer.exceptions import (
    InputError,
    MissingPackageError,
    ModelVersionWarning,
    WeightsIntegrityError,
    WeightsNotFoundError,
)
from skmer.models import load_model, read_card, save_model, trusted_types
from skmer.models.file import _is_known, moved
from tests.models.songs import LoudnessTransformer, loudness

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def model(songs):
    """A small fitted pipeline."""
    paths, y = songs
    return make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths[:8], y[:8])


@pytest.fixture(scope="module")
def network_model(songs):
    """A fitted pipeline with a network of random weights."""
    paths, y = songs
    network = VGGishTransformer(weights=None, random_state=1)
    return make_pipeline(network, LogisticRegression()).fit(paths[:2], y[:2])


@pytest.fixture(scope="module")
def features(songs, tmp_path_factory):
    """A fitted transformer with a cache."""
    return MFCCStatsTransformer(n_mfcc=5, memory=tmp_path_factory.mktemp("c")).fit(songs[0])


# The same numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        make_pipeline(StandardScaler(), SVC()),
        RandomForestClassifier(10, random_state=0),
        make_classifier("svm"),
        KerasMLPClassifier(hidden_layer_sizes=(8,), epochs=3, random_state=0),
    ],
    ids=lambda head: type(head).__name__,
)
def test_a_loaded_model_predicts_the_same(songs, tmp_path, head):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), head).fit(paths[:16], y[:16])
    again = load_model(save_model(model, tmp_path / "m.skmer"))
    np.testing.assert_array_equal(again.predict(paths), model.predict(paths))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(paths), model.predict_proba(paths))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.md", "m.skmer"]


@pytest.mark.parametrize(
    "head",
    [
        HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2),
        MLPClassifier((3,), max_iter=200),
        StackingClassifier([("nb", GaussianNB()), ("tree", DecisionTreeClassifier())], cv=2),
        VotingClassifier([("nb", GaussianNB()), ("knn", KNeighborsClassifier(3))]),
        GaussianProcessClassifier(RBF() + WhiteKernel(), optimizer=None),
        TunedThresholdClassifierCV(GaussianNB(), cv=2),
        make_pipeline(
            SelectKBest(k=3), KBinsDiscretizer(3, strategy="uniform"), GradientBoostingClassifier()
        ),
        GridSearchCV(GaussianNB(), {"var_smoothing": [0.1]}, scoring="roc_auc", cv=2),
        TagClassifier(LinearSVC(C=0.01), holdout_fraction=0.5, random_state=0),
        make_regressor("svr"),
        GaussianProcessRegressor(RBF()),
        HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=2),
        StackingRegressor([("ridge", Ridge())], cv=2),
    ],
    ids=lambda head: type(head).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_scikit_learn_and_skmer_have_is_saved(songs, features, tmp_path, head):
    paths, y = songs
    if is_regressor(head):
        y = np.linspace(0, 1, len(y))
    elif isinstance(head, TagClassifier):
        y = np.stack([y == "sad", y != "sad"], axis=1).astype(int)
    # As fitted as the whole pipeline is, without computing the features again.
    model = make_pipeline(features, clone(head).fit(features.transform(paths[:16]), y[:16]))
    again = load_model(save_model(model, tmp_path / "m.skmer"))
    np.testing.assert_array_equal(again.predict(paths[16:]), model.predict(paths[16:]))


@pytest.mark.parametrize("own", [LoudnessTransformer, loudness])
def test_ones_own_is_saved_and_loaded_when_it_is_named(songs, tmp_path, own):
    paths, y = songs
    embed = own() if isinstance(own, type) else ClipFunctionTransformer(own, target_sr=16000)
    model, path = make_pipeline(embed, GaussianNB()).fit(paths, y), tmp_path / "m.skmer"
    name = f"tests.models.songs.{own.__name__}"
    with pytest.raises(InputError, match=f"{name}. Name those that you trust in the 'trusted'"):
        save_model(model, path)
    save_model(model, path, trusted=[own])
    assert read_card(path)["trusted"] == [name]
    assert name.replace("_", "\\_") in (tmp_path / "m.md").read_text()
    with pytest.raises(InputError, match="could run code: tests"):
        load_model(path)
    for trusted in ([own], name, [name]):
        again = load_model(path, trusted=trusted)
        assert again.predict(paths).tolist() == model.predict(paths).tolist()
    assert name in trusted_types(model, trusted=[own])


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.utils._testing.TempMemmap",
        "sklearn.datasets._base.load_files",
        "sklearn.utils._joblib.Memory",
        "sklearn.base.clone",
        "sklearn.base.warnings",
        "sklearn.no_such.Thing",
        "skmer.utils.digest.open_regular",
        "skmer.embeddings.recipe.Recipe",
        "os.system",
    ],
)
def test_what_could_run_code_is_not_trusted(name):
    assert not _is_known(name)


def test_sequences_and_unions(songs, tmp_path):
    paths, y = songs
    sequence = make_pipeline(
        MFCCStatsTransformer(statistics=None, n_frames=30),
        KerasLSTMClassifier(units=4, epochs=2, random_state=0),
    )
    union = make_pipeline(
        make_union(MFCCStatsTransformer(), MFCCStatsTransformer(n_mfcc=13, deltas=0)), GaussianNB()
    )
    for model in (sequence, union):
        model.fit(paths[:8], y[:8])
        again = load_model(save_model(model, tmp_path / "m.skmer"))
        np.testing.assert_array_equal(again.predict(paths), model.predict(paths))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_union_of_data_frames(songs, tmp_path, library):
    paths, y = songs
    # scikit-learn 1.8 cannot join data frames of polars whose columns have the same names.
    parts = [MFCCStatsTransformer(statistics=(name,)) for name in ("mean", "std")]
    with config_context(transform_output=library):
        model = make_pipeline(make_union(*parts), GaussianNB()).fit(paths[:4], y[:4])
        again = load_model(save_model(model, tmp_path / "m.skmer"))
        np.testing.assert_array_equal(again.predict(paths), model.predict(paths))


def test_the_cache_and_the_jobs_of_a_machine_are_not_saved(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(make_union(MFCCStatsTransformer()), GaussianNB()).fit(paths[:2], y[:2])
    for _, embed in model[0].transformer_list:
        embed.set_params(memory=tmp_path / "cache", n_jobs=2, verbose=True)
    (_, again), *_ = load_model(save_model(model, tmp_path / "m.skmer"))[0].transformer_list
    assert (again.memory, again.n_jobs, again.verbose) == (None, None, False)


@pytest.mark.filterwarnings("ignore::skmer.exceptions.ModelVersionWarning")
@pytest.mark.parametrize(
    ("name", "version"), [("mlp", "0.2.0"), ("svm", "0.2.0"), ("svm", "0.3.0")]
)
def test_models_of_earlier_versions_predict_what_they_did(songs, tmp_path, name, version):
    """What was saved, and predicted for clips that it had not seen."""
    path = tmp_path / "old.skmer"
    path.write_bytes(gzip.decompress((HERE / f"{name}-{version}.skmer.gz").read_bytes()))
    expected = json.loads((HERE / f"predictions-{version}.json").read_text())[name]
    assert read_card(path)["versions"]["skmer"]
    model, unseen = load_model(path), songs[0][16:]
    assert model.predict(unseen).tolist() == expected["labels"]
    np.testing.assert_allclose(model.predict_proba(unseen), expected["probabilities"], atol=1e-4)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("skmer.classifiers._calibrated_search", "CalibratedGridSearchCV"),
        ("skmer.classifiers._calibrated_search", "CheckedGridSearchCV"),
        ("skmer.classifiers._cnn", "KerasCNNClassifier"),
        ("skmer.classifiers._group_aware_kfold", "GroupAwareKFold"),
        ("skmer.classifiers._lstm", "KerasLSTMClassifier"),
        ("skmer.classifiers._mlp", "KerasMLPClassifier"),
        ("skmer.classifiers._sequence_scaler", "SequenceScaler"),
        ("skmer.embeddings._l3", "L3Transformer"),
        ("skmer.embeddings._mfcc", "MFCCStatsTransformer"),
        ("skmer.embeddings._musicnn", "MusiCNNTransformer"),
        ("skmer.embeddings._vggish", "VGGishTransformer"),
        (
            "skmer.evaluation.splitters._repeated_stratified_group_kfold",
            "RepeatedStratifiedGroupKFold",
        ),
    ],
)
def test_every_class_that_0_2_saved_is_found(module, name):
    assert isinstance(getattr(import_module(moved(module)), name), type)


# The card ----------------------------------------------------------------------------------------


def test_the_card_describes_the_model(network_model, tmp_path):
    given = {
        "name": "calm *or* sad",
        "scores": {"accuracy": 0.5731},
        "audit": [],
        "data": {"n_clips": 8},
    }
    path = save_model(network_model, tmp_path / "m.skmer", card=given)
    card = read_card(path)
    assert card["classes"] == ["happy", "sad"]
    (feature,) = card["features"]
    assert feature["parameters"]["random_state"] == 1
    assert "memory" not in feature["parameters"]
    assert (feature["weights_are_random"], feature["weights_licence"]) == (True, None)
    assert feature["weights_digest"] == network_model[0].weights_digest_
    assert card["task"] == "classification"
    assert {name: card[name] for name in given} == given
    markdown = (tmp_path / "m.md").read_text()
    assert "* accuracy: 0.573" in markdown
    assert "random" in markdown
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["card.json", "card.md", "model.skops"]


def test_a_notebook_shows_the_card_as_a_page(model, tmp_path):
    given = {"name": "<b>calm</b>", "scores": {"accuracy": 0.57321}, "audit": [{"kind": "x<y"}]}
    card = read_card(save_model(model, tmp_path / "m.skmer", card=given))
    page = ElementTree.fromstring(card._repr_html_())
    text = " ".join(page.itertext())
    assert "<b>calm</b>" in text
    assert "accuracy : 0.573" in text
    folded = [one.text for one in page.iter("summary")]
    assert {"Audit", "Features", "Versions"} <= set(folded)
    assert not {"Scores", "Task"} & set(folded)
    assert isinstance(card, dict)
    assert json.loads(json.dumps(card)) == card


def test_other_weights_and_other_versions_are_reported(model, network_model, tmp_path, monkeypatch):
    path = save_model(network_model, tmp_path / "m.skmer")
    # Loading reads no clip, and fits nothing.
    monkeypatch.setattr(VGGishTransformer, "fit", None)
    assert load_model(path)[0].weights_digest_ == network_model[0].weights_digest_
    changed = copy.deepcopy(network_model)
    changed[0].weights_digest_ = "0123456789abcdef"
    save_model(changed, path)
    with pytest.raises(WeightsIntegrityError, match="was trained on weights with the digest"):
        load_model(path)
    save_model(model, path)
    monkeypatch.setattr("skmer.models.file.digest.versions", lambda packages: {"numpy": "0.9"})
    with pytest.warns(ModelVersionWarning, match=r"was made with .*numpy .*here 0\.9"):
        load_model(path)


def test_weights_and_packages_that_are_missing(network_model, model, tmp_path, monkeypatch):
    path = save_model(network_model, tmp_path / "m.skmer")
    advice = "Put it there, or pass weights=None for random weights."

    def without_weights(self):
        raise WeightsNotFoundError(f"They are not here. {advice}")

    monkeypatch.setattr(VGGishTransformer, "_fit_network", without_weights)
    with pytest.raises(WeightsNotFoundError, match=r"Put it there; the model '.*' was trained"):
        load_model(path)
    save_model(model, path)

    def without_package(*args, **options):
        raise ModuleNotFoundError("No module named 'keras'", name="keras")

    monkeypatch.setattr("skops.io.loads", without_package)
    with pytest.raises(MissingPackageError, match="needs the package keras, which is not inst"):
        load_model(path)


def test_a_card_has_what_decides_the_numbers_and_nothing_else(
    model, network_model, tmp_path, monkeypatch
):
    path = tmp_path / "m.skmer"
    plain = {"python", "skmer", "numpy", "scipy", "scikit-learn", "soundfile", "soxr"}
    assert set(read_card(save_model(model, path))["versions"]) == plain
    keras = make_pipeline(
        model[0],
        KerasMLPClassifier(hidden_layer_sizes=(2,), epochs=1).fit(np.eye(120), [0, 1] * 60),
    )
    assert {"keras", "tensorflow"} < set(read_card(save_model(keras, path))["versions"])
    card = read_card(save_model(network_model, path))
    engine = card["features"][0]["engine"]
    assert engine == network_model[0]._engine()
    assert set(card["versions"]) - {"tensorflow-cpu"} == plain | {engine}
    assert f"* engine: {engine}" in (tmp_path / "m.md").read_text()
    monkeypatch.setattr(VGGishTransformer, "_engine", lambda self: "numpy")
    with pytest.warns(ModelVersionWarning, match=f"the engine '{engine}' \\(here 'numpy'\\)"):
        load_model(path)


def test_the_card_is_covered_by_a_digest(members, tmp_path):
    card, inner = members
    assert read_card(write(tmp_path / "m.skmer", card, pack(inner)))
    for change in ({"scores": {"accuracy": 0.99}}, {"classes": ["joy"]}):
        write(tmp_path / "m.skmer", card | change, pack(inner))
        with pytest.raises(InputError, match="not a model that save_model wrote"):
            read_card(tmp_path / "m.skmer")


# What is not saved, and what is not loaded -------------------------------------------------------


def test_what_cannot_be_saved(songs, model, tmp_path):
    paths, y = songs
    path = tmp_path / "m.skmer"
    with pytest.raises(NotFittedError):
        save_model(make_pipeline(MFCCStatsTransformer(), SVC()), path)
    for wrong in (SVC(), make_pipeline(StandardScaler(), SVC()), "model"):
        with pytest.raises(TypeError, match="must be a pipeline that starts with a transformer"):
            save_model(wrong, path)
    with pytest.raises(InputError, match="values that JSON has"):
        save_model(model, path, card={"scores": np.zeros(3)})
    with pytest.raises(InputError, match=r"its card would be one file; let its name end in .skmer"):
        save_model(model, tmp_path / "m.md")
    own = type("Own", (SVC,), {"__module__": __name__})
    fitted = make_pipeline(MFCCStatsTransformer(), own()).fit(paths[:8], y[:8])
    with pytest.raises(InputError, match="neither scikit-learn's nor skmer's"):
        save_model(fitted, path)
    (tmp_path / "m.md").mkdir()
    with pytest.raises(IsADirectoryError, match=r"m.md', which is a folder"):
        save_model(model, path)
    assert [path.name for path in tmp_path.iterdir()] == ["m.md"]


def test_files_that_are_no_models(songs, model, tmp_path):
    path = save_model(model, tmp_path / "m.skmer")
    whole, right = path.read_bytes(), model.predict_proba(songs[0])
    with pytest.raises(FileNotFoundError, match="There is no model"):
        load_model(tmp_path / "none.skmer")
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a model that save_model wrote"):
            load_model(path)
    n_detected = 0
    for seed in range(25):
        damaged, rng = bytearray(whole), np.random.default_rng(seed)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        # What does not matter may be changed; whatever loads is the model that was saved.
        try:
            again = load_model(path)
        except InputError:
            n_detected += 1
        else:
            np.testing.assert_array_equal(again.predict_proba(songs[0]), right)
    assert n_detected > 15


@pytest.fixture(scope="module")
def members(model, tmp_path_factory):
    """The card of a model, and the members of the archive of its pipeline."""
    path = save_model(model, tmp_path_factory.mktemp("model") / "m.skmer")
    with zipfile.ZipFile(path) as archive:
        card, inner = json.loads(archive.read("card.json")), archive.read("model.skops")
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        return card, {name: archive.read(name) for name in archive.namelist()}


def pack(members, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def write(path, card, model, compression=zipfile.ZIP_STORED):
    """Write a model file whose card has the digest of the model."""
    card = card | {"model_sha256": hashlib.sha256(model).hexdigest()}
    path.write_bytes(pack({"card.json": json.dumps(card), "model.skops": model}, compression))
    return path


@pytest.mark.parametrize(
    "change",
    [{"format": None}, {"format": "1e"}, {"versions": None}, {"versions": []}],
)
def test_cards_that_were_changed(members, tmp_path, change):
    path = write(tmp_path / "m.skmer", members[0] | change, pack(members[1]))
    for read in (read_card, load_model):
        with pytest.raises(InputError, match="not a model that save_model wrote"):
            read(path)


@pytest.mark.parametrize("card", ["[]", "3", '"format"', "{}", "{"])
def test_cards_that_are_none(members, tmp_path, card):
    path = tmp_path / "m.skmer"
    path.write_bytes(pack({"card.json": card, "model.skops": pack(members[1])}))
    with pytest.raises(InputError, match="not a model that save_model wrote"):
        read_card(path)


def test_a_model_of_a_newer_skmer(members, tmp_path):
    path = write(tmp_path / "m.skmer", members[0] | {"format": 2}, pack(members[1]))
    with pytest.raises(InputError, match="has format 2, of a newer skmer"):
        load_model(path)


@pytest.mark.parametrize("inside", [False, True])
def test_archives_are_not_unpacked_to_more_than_they_take(members, tmp_path, inside):
    packed = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
    model = pack(members[1], packed[inside])
    path = write(tmp_path / "m.skmer", members[0], model, packed[not inside])
    with pytest.raises(InputError, match="not a model that save_model wrote"):
        load_model(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{", b""),
        (b'"Pipeline"', b'"x"'),
        (b'"__loader__": "ObjectNode"', b'"__loader__": "NoNode"'),
        (b'"__loader__": "ObjectNode"', b'"__loader__": "DictNode"'),
        (b'"steps"', b'"stops"'),
        (b".npy", b".npx"),
    ],
)
def test_trees_that_were_changed(members, tmp_path, old, new):
    card, inner = members
    model = pack(inner | {"schema.json": inner["schema.json"].replace(old, new)})
    with pytest.raises((InputError, TypeError)) as caught:
        load_model(write(tmp_path / "m.skmer", card, model))
    assert "\n" not in str(caught.value)


def test_types_of_other_packages_are_not_loaded(members, tmp_path):
    path = write(tmp_path / "m.skmer", members[0], skops.io.dumps({"one": Fraction}))
    with pytest.raises(InputError, match="not loaded because they could run code: fractions"):
        load_model(path)

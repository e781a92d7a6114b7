"""Models on disk: the same numbers, the card, and what is refused."""

import copy
import json
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import MFCCStatsTransformer, VGGishTransformer
from skmer.classifiers import KerasLSTMClassifier, KerasMLPClassifier, make_classifier
from skmer.exceptions import InputError, ModelVersionWarning, WeightsIntegrityError
from skmer.models import load_model, predict_clips, read_card, save_model


def both(model, path, clips):
    """What a model predicts, and what it predicts once it was saved and loaded."""
    again = load_model(save_model(model, path))
    return model, again, [one.predict(clips) for one in (model, again)]


@pytest.fixture(scope="module")
def network_model(songs):
    """A fitted pipeline with a network of random weights."""
    paths, y = songs
    network = VGGishTransformer(weights=None, random_state=1, pooling=("mean", "max"))
    return make_pipeline(network, LogisticRegression()).fit(paths[:8], y[:8])


@pytest.mark.parametrize(
    "head",
    [
        make_pipeline(StandardScaler(), SVC()),
        RandomForestClassifier(10, random_state=0),
        make_classifier("svm"),
        make_classifier("nb"),
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
    assert not [name for name in tmp_path.iterdir() if name.suffix == ".tmp"]


def test_sequences_and_unions(songs, tmp_path):
    paths, y = songs
    sequence = make_pipeline(
        MFCCStatsTransformer(statistics=None, n_frames=30),
        KerasLSTMClassifier(units=4, epochs=2, random_state=0),
    ).fit(paths[:8], y[:8])
    union = make_pipeline(
        make_union(MFCCStatsTransformer(), MFCCStatsTransformer(n_mfcc=13, deltas=0)),
        StandardScaler(),
        LogisticRegression(),
    ).fit(paths[:8], y[:8])
    for model in (sequence, union):
        again = load_model(save_model(model, tmp_path / "m.skmer"))
        np.testing.assert_array_equal(again.predict(paths), model.predict(paths))
        if model is sequence:
            predicted = predict_clips(again, [*paths[:3], "missing.wav"])
            assert predicted["label"][:3].tolist() == list(model.predict(paths[:3]))
            assert predicted["error"].isna().tolist() == [True, True, True, False]


def test_a_model_of_another_process(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(
        MFCCStatsTransformer(memory=tmp_path / "cache", n_jobs=2), LogisticRegression()
    ).fit(paths[:12], y[:12])
    path = save_model(model, tmp_path / "m.skmer", card={"data": {"name": "mine"}})
    code = (
        "import sys; from skmer.models import load_model; m = load_model(sys.argv[1]); "
        "print(m[0].memory, m[0].n_jobs, m.predict_proba(sys.argv[2:]).tolist())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, path, *paths[12:14]],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out.startswith("None None ")
    there = json.loads(out.removeprefix("None None "))
    np.testing.assert_allclose(there, model.predict_proba(paths[12:14]), atol=1e-6)


def test_the_card_says_what_the_model_is(network_model, tmp_path):
    model = network_model
    given = {
        "name": "calm *or* sad",
        "scores": {"accuracy": 0.5731},
        "audit": [],
        "data": {"n_clips": 8},
    }
    path = save_model(model, tmp_path / "m.skmer", card=given)
    card = read_card(path)
    assert card["classes"] == ["happy", "sad"]
    assert card["features"][0]["weights_are_random"] is True
    assert card["features"][0]["weights_licence"] is None
    assert card["features"][0]["weights_digest"] == model[0].weights_digest_
    assert (card["scores"], card["data"], card["task"]) == (
        {"accuracy": 0.5731},
        {"n_clips": 8},
        "classification",
    )
    markdown = (tmp_path / "m.md").read_text()
    assert "* accuracy: 0.573" in markdown
    assert "random" in markdown
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["card.json", "card.md", "model.skops"]


def test_other_weights_and_other_versions_are_told_of(songs, network_model, tmp_path, monkeypatch):
    paths, y = songs
    model = copy.deepcopy(network_model)
    model[0].weights_digest_ = "0123456789abcdef"
    path = save_model(model, tmp_path / "m.skmer")
    with pytest.raises(WeightsIntegrityError, match="was trained on weights with the digest"):
        load_model(path)
    model = make_pipeline(MFCCStatsTransformer(), LogisticRegression()).fit(paths[:8], y[:8])
    path = save_model(model, path)
    monkeypatch.setattr("skmer.models.file.versions", lambda: {"numpy": "0.9"})
    with pytest.warns(ModelVersionWarning, match=r"was made with .*numpy .*here 0\.9"):
        load_model(path)


def test_what_cannot_be_saved(songs, tmp_path):
    paths, y = songs
    unfitted = make_pipeline(MFCCStatsTransformer(), SVC())
    with pytest.raises(NotFittedError):
        save_model(unfitted, tmp_path / "m.skmer")
    fitted = unfitted.fit(paths[:8], y[:8])
    for wrong in (SVC(), make_pipeline(StandardScaler(), SVC()), "model"):
        with pytest.raises(TypeError, match="must be a pipeline that starts with a transformer"):
            save_model(wrong, tmp_path / "m.skmer")
    with pytest.raises(InputError, match="values that JSON knows"):
        save_model(fitted, tmp_path / "m.skmer", card={"scores": np.zeros(3)})
    with pytest.raises(InputError, match=r"its card would be one file; let its name end in .skmer"):
        save_model(fitted, tmp_path / "m.md")
    (tmp_path / "m.md").mkdir()
    with pytest.raises(IsADirectoryError, match=r"m.md', which is a folder"):
        save_model(fitted, tmp_path / "m.skmer")
    assert [path.name for path in tmp_path.glob("m.*")] == ["m.md"]


def test_predictions_a_clip(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), LogisticRegression())
    model.fit(paths[:16], y[:16])
    (tmp_path / "text.wav").write_text("no audio")
    given = [paths[17], str(tmp_path / "text.wav"), paths[20], str(tmp_path / "none.wav")]
    predicted = predict_clips(model, given)
    assert list(predicted.columns) == ["path", "label", "proba_happy", "proba_sad", "error"]
    assert predicted["path"].tolist() == given
    assert predicted["error"].isna().tolist() == [True, False, True, False]
    np.testing.assert_allclose(
        predicted.loc[[0, 2], ["proba_happy", "proba_sad"]], model.predict_proba(given[::2])
    )
    assert predicted.loc[[1, 3], ["label", "proba_sad"]].isna().all(axis=None)
    assert predict_clips(model, given[1:2])["error"].notna().all()


def test_predictions_over_time(songs, network_model):
    paths, y = songs
    model = network_model
    predicted = predict_clips(model, paths[:2], frames=True)
    (first, second) = model[0].transform_frames(paths[:2])
    assert len(predicted) == len(first) + len(second)
    expected = model[-1].predict_proba(np.hstack([first, first]))
    np.testing.assert_allclose(predicted["proba_sad"][: len(first)], expected[:, 1], rtol=1e-5)
    assert "time" in predicted
    with pytest.raises(InputError, match="whose pooling a single frame has"):
        predict_clips(
            make_pipeline(MFCCStatsTransformer(), SVC()).fit(paths[:8], y[:8]), paths, frames=True
        )


def test_regressors(songs, tmp_path):
    paths, _ = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), Ridge())
    targets = np.random.default_rng(0).normal(size=(24, 2))
    model.fit(paths, targets)
    again = load_model(save_model(model, tmp_path / "m.skmer"))
    predicted = predict_clips(again, paths[:3])
    assert list(predicted.columns) == ["path", "arousal", "valence", "error"]
    np.testing.assert_allclose(
        predicted[["arousal", "valence"]].to_numpy(float), model.predict(paths[:3]), rtol=1e-6
    )
    model.fit(paths, targets[:, 0])
    assert list(predict_clips(model, paths[:1], targets=["energy"]))[1] == "energy"
    with pytest.raises(InputError, match="must name what the model predicts, 1 numbers"):
        predict_clips(model, paths[:1], targets=["a", "b"])
    assert isinstance(predicted, pd.DataFrame)


def test_a_notebook_shows_the_card_as_a_page(network_model, tmp_path):
    given = {"name": "<b>calm</b>", "scores": {"accuracy": 0.57321}, "audit": [{"kind": "x<y"}]}
    card = read_card(save_model(network_model, tmp_path / "m.skmer", card=given))
    shown = card._repr_html_()
    page = ElementTree.fromstring(shown)
    text = " ".join(page.itertext())
    assert "<b>calm</b>" in text
    assert "accuracy : 0.573" in text
    folded = [one.text for one in page.iter("summary")]
    assert {"Audit", "Features", "Versions"} <= set(folded)
    assert not {"Scores", "Task"} & set(folded)
    assert isinstance(card, dict)
    assert json.loads(json.dumps(card)) == card

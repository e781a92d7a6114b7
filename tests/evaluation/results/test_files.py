"""A result on disk, and back: the same, or refused; and its report."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, LinearSVC

from skmer.evaluation import EvaluationResult, RegressionResult, evaluate, evaluate_regression
from skmer.exceptions import InputError
from skmer.utils.files import check_output_folder
from tests.evaluation.results.same import assert_same
from tests.evaluation.singers import LABELS, N_CLIPS, SINGERS

ODD_NAMES = st.sampled_from(
    [
        "=1+1",
        "'=1",
        "''@",
        "'",
        "+",
        "-1",
        "'-1",
        "-1+1",
        "",
        "NA",
        "nan",
        "None",
        "1",
        "01",
        "1e5",
        "-",
        " a",
        "a,b",
        '"',
        "\r",
        "a\nb",
        "True",
    ]
)


def test_save_and_load(result, tmp_path):
    folder = result.save(tmp_path / "new" / "results")
    assert {path.name for path in folder.iterdir()} == {
        "scores.csv", "predictions.csv", "maps.csv", "manifest.json", "report.html"
    }  # fmt: skip
    assert_same(EvaluationResult.load(folder), result)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(ODD_NAMES | st.text(), min_size=2, max_size=2, unique=True),
    labels=st.lists(ODD_NAMES | st.text(), min_size=2, max_size=2, unique=True),
    groups=st.lists(ODD_NAMES | st.text(), min_size=4, max_size=4)
    | st.lists(st.integers(-(2**62), 2**62), min_size=4, max_size=4)
    | st.none(),
)
def test_what_is_loaded_is_what_was_saved(tmp_path, names, labels, groups):
    X = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)
    # A numpy array of text has no place for NUL characters at its end.
    labels, groups = np.array(labels), None if groups is None else np.repeat(np.array(groups), 4)
    assume(np.unique(labels).size == 2)
    result = evaluate(
        {names[0]: X, names[1]: FunctionTransformer()},
        {names[0]: LinearSVC(), names[1]: GaussianNB()},
        X,
        np.tile(labels, 8),
        groups=groups,
        protocol={names[0]: StratifiedKFold(2)},
        audit=False,
    )
    # The page is another matter, and takes a second.
    result.report = Path.touch
    assert_same(EvaluationResult.load(result.save(tmp_path)), result)


@pytest.mark.parametrize(
    "labels", [np.arange(2), np.array([False, True]), np.array([0.5, 1e-3]) * 1e3]
)
@pytest.mark.parametrize("classifier", [SVC(), GaussianNB()])
def test_labels_that_are_no_text_are_loaded_as_they_were(feature, tmp_path, labels, classifier):
    y = np.tile(labels, N_CLIPS // 2)
    groups = np.array([f"{singer:02d}" for singer in SINGERS])
    result = evaluate({"a": feature}, {"b": classifier}, None, y, groups=groups, n_repeats=1)
    loaded = EvaluationResult.load(result.save(tmp_path))
    assert_same(loaded, result)
    assert loaded.intervals().equals(result.intervals())
    loaded.report(tmp_path / "again.html")


def test_no_cell_of_a_saved_table_is_run_by_a_spreadsheet(tmp_path):
    X = np.random.default_rng(0).normal(size=(16, 2))
    labels = np.tile(["=cmd|' /C calc'!A0", "-0.5"], 8)
    groups = np.repeat(["\t=1", "b", "c", "d"], 4)
    options = {"groups": groups, "n_folds": 2, "n_repeats": 1}
    result = evaluate({"@x": X}, {"+y()": GaussianNB()}, X, labels, **options)
    folder = result.save(tmp_path)
    cells = pd.concat(
        [
            pd.read_csv(folder / f"{name}.csv", header=None, dtype=str, keep_default_na=False)
            for name in ("scores", "predictions", "maps")
        ]
    )
    texts = {text for text in cells.to_numpy(dtype=str).ravel() if text[:1] in set("=+-@\t\r")}
    assert all(float(text) is not None for text in texts)
    assert "'=cmd|' /C calc'!A0" in set(cells.to_numpy(dtype=str).ravel())
    assert_same(EvaluationResult.load(folder), result)


def test_a_weights_label_that_looks_missing_is_kept(result, tmp_path):
    odd = EvaluationResult(
        result.scores.assign(weights=["", None, "None", "-"] * (len(result.scores) // 4)),
        result.predictions,
        result.manifest,
    )
    assert_same(EvaluationResult.load(odd.save(tmp_path)), odd)


def test_a_file_that_was_cut_or_changed_is_refused(result, tmp_path):
    folder = result.save(tmp_path)
    predictions = (folder / "predictions.csv").read_bytes()
    for damaged in (predictions[:-40], b"", predictions.replace(b"sad", b"NA ", 1)):
        (folder / "predictions.csv").write_bytes(damaged)
        with pytest.raises(InputError, match=r"predictions.csv' is not what was saved"):
            EvaluationResult.load(folder)
    (folder / "predictions.csv").unlink()
    with pytest.raises(InputError, match=r"predictions.csv' cannot be read \(No such file"):
        EvaluationResult.load(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputError, match=r"manifest.json' is not the manifest of a result"):
        EvaluationResult.load(folder)
    with pytest.raises(InputError, match=r"no result in '.*elsewhere'"):
        EvaluationResult.load(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("tables",), {}),
        (("tables",), []),
        (("tables", "scores"), None),
        (("tables", "scores", "columns"), 3),
        (("tables", "scores", "columns", 0), {}),
        (("tables", "scores", "columns", 0, "dtype"), "no type"),
        (("tables", "predictions", "columns", -1, "dtype"), ",f8"),
        (("settings",), []),
        (("settings", "scoring"), 3),
        (("result",), ["x" * 900]),
    ],
)
def test_a_manifest_that_was_changed_is_refused(result, tmp_path, where, value):
    path = result.save(tmp_path) / "manifest.json"
    manifest = part = json.loads(path.read_text())
    # As of an earlier skmer, so that nothing but the change itself tells.
    del manifest["sha256"]
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"not the manifest of a result|is a \['xx") as caught:
        EvaluationResult.load(tmp_path)
    assert len(str(caught.value)) <= 500


def test_a_manifest_with_one_bit_changed_is_refused(result, tmp_path):
    path = result.save(tmp_path) / "manifest.json"
    content = path.read_bytes()
    rng, refused = np.random.default_rng(0), []
    for at, bit in zip(rng.integers(len(content), size=150), rng.integers(8, size=150)):
        changed = bytearray(content)
        changed[at] ^= 1 << bit
        path.write_bytes(changed)
        try:
            loaded = EvaluationResult.load(tmp_path)
        except InputError as error:
            refused.append(str(error))
            continue
        # Between the entries, or the name of the checksum itself.
        known = {name: loaded.manifest.get(name) for name in result.manifest}
        assert known == result.manifest
    assert refused
    assert all("manifest.json' is not the manifest of a result" in words for words in refused)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "3", "\xff"])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="not the manifest of a result"):
        EvaluationResult.load(tmp_path)


def test_an_earlier_result_without_maps_has_a_report_without_a_map(result, tmp_path):
    folder = result.save(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["tables"]["maps"], manifest["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "maps.csv").unlink()
    again = EvaluationResult.load(folder)
    assert again.maps.empty
    page = again.report(tmp_path / "again.html").read_text()
    assert 'id="chart-scores"' in page
    assert 'id="chart-map"' not in page


def test_a_result_is_read_by_its_own_class(result, tmp_path):
    with pytest.raises(InputError, match=r"is a EvaluationResult; read it with EvaluationResult"):
        RegressionResult.load(result.save(tmp_path))


def test_measurements_without_a_number_do_not_stop_a_save(tmp_path):
    y = np.tile(["calm", "sad"], 20)
    same = evaluate({"a": np.ones((40, 2))}, {"nb": DummyClassifier()}, None, y, protocol="koh2021")
    assert_same(EvaluationResult.load(same.save(tmp_path)), same)


def test_the_manifest_says_what_it_rests_on(result, tmp_path):
    manifest = json.loads((result.save(tmp_path) / "manifest.json").read_text())
    assert manifest["dataset"] == {
        "n_clips": N_CLIPS, "classes": {"NA": 30, "sad": 30}, "n_groups": 10
    }  # fmt: skip
    assert manifest["settings"]["random_state"] == 0
    assert {"python", "numpy", "scikit-learn", "skmer"} <= set(manifest["versions"])
    drawn = manifest["features"]["drawn"]
    assert (drawn["weights"], drawn["weights_digest"]) == ("random (seed 3)", "random-3")
    assert manifest["models"]["nb"]["parameters"] == {"priors": None, "var_smoothing": 1e-09}
    assert manifest["protocols"]["grouped"]["groups_kept_apart"] is True
    assert manifest["protocols"]["koh2021"]["groups_kept_apart"] is False
    splits = manifest["protocols"]["koh2021"]["splits"]
    assert [len(splits[0][part]) for part in ("validation", "test")] == [6, 6]
    assert splits[0]["n_train"] == 48
    tested = result.predictions.query("protocol == 'koh2021' and repeat == 1")
    assert sorted(set(tested["row"])) == splits[1]["test"]


def test_a_report_of_regression(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    result = evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, X[:, :2], protocol="shuffled", n_folds=4
    )
    folder = result.save(tmp_path)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "valence" in page
    assert np.allclose(
        type(result).load(folder).predictions["y_pred"], result.predictions["y_pred"]
    )


def test_the_audit_is_in_manifest_and_report(result, feature, tmp_path):
    audits = result.manifest["audit"]
    assert {found["kind"] for found in audits["koh2021"]["findings"]} == {
        "shared_groups", "identity_probe"
    }  # fmt: skip
    assert audits["grouped"]["findings"] == []
    assert audits["grouped"]["measurements"]["identity_accuracy"] > 0.5
    without = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, protocol=StratifiedKFold(2), audit=False
    )
    assert without.manifest["audit"] is None


def test_an_unwritable_folder_is_one_sentence(tmp_path, result):
    (tmp_path / "file").write_text("")
    message = r"cannot be written into the folder '.*file.*' \(.*\); choose another one"
    with pytest.raises(OSError, match=message):
        check_output_folder(tmp_path / "file" / "results")
    with pytest.raises(OSError, match=message):
        result.save(tmp_path / "file")

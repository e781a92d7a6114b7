"""A result on disk, and back: the same, or an error; its tables in general are tested in utils."""

import json
import os
import pickle
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, LinearSVC

from skmer.evaluation import EvaluationResult, RegressionResult, evaluate, evaluate_regression
from skmer.exceptions import InputError
from skmer.utils import store
from tests.evaluation.singers import LABELS, N_CLIPS, SINGERS

ODD_NAMES = st.sampled_from(["=1+1", "'=1", "+", "-1", "", "NA", "01", " a", "a,b", '"', "a\nb"])


def assert_same(loaded, result):
    """What was read is what was saved, types and missing cells included."""
    assert type(loaded) is type(result)
    assert loaded.task.name == result.task.name
    assert loaded.manifest == result.manifest
    for table in ("scores", "predictions", "maps"):
        assert_frame_equal(getattr(loaded, table), getattr(result, table), check_exact=True)


def copy_of(result, rows=slice(None)):
    """A result of some of the rows, whose page is empty, since a real one takes a second."""
    copy = EvaluationResult(
        result.scores[rows].reset_index(drop=True),
        result.predictions[rows].reset_index(drop=True),
        result.manifest,
    )
    copy.maps, copy.report = result.maps, Path.touch
    return copy


def test_save_and_load(result, tmp_path):
    folder = result.save(tmp_path / "new" / "results")
    assert {path.name for path in folder.iterdir()} == {
        "scores.csv", "predictions.csv", "maps.csv", "manifest.json", "report.html"
    }  # fmt: skip
    loaded = EvaluationResult.load(folder)
    assert_same(loaded, result)
    assert loaded.intervals().equals(result.intervals())
    with pytest.raises(InputError, match="read from files"):
        loaded.fit(feature="given", classifier="nb")
    with pytest.raises(InputError, match=r"is a EvaluationResult; read it with EvaluationResult"):
        RegressionResult.load(folder)
    (folder / "predictions.csv").write_bytes((folder / "predictions.csv").read_bytes()[:-40])
    with pytest.raises(InputError, match=r"predictions.csv' is not what was saved"):
        EvaluationResult.load(folder)


def test_a_result_that_was_just_computed_can_be_pickled(feature):
    """A local function in it made `pickle` fail."""
    result = evaluate({"a": feature}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS)
    again = pickle.loads(pickle.dumps(result))
    assert_same(again, result)
    model = again.fit(feature="a", classifier="nb")
    assert (model.predict(feature) == GaussianNB().fit(feature, LABELS).predict(feature)).all()


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    result.report = Path.touch
    assert_same(EvaluationResult.load(result.save(tmp_path)), result)


@pytest.mark.parametrize(
    ("labels", "classifier"),
    [
        (np.arange(2), SVC()),
        (np.array([False, True]), GaussianNB()),
        (np.array([0.5, 1e-3]) * 1e3, GaussianNB()),
    ],
)
def test_labels_that_are_no_text_are_loaded_as_they_were(feature, tmp_path, labels, classifier):
    y = np.tile(labels, N_CLIPS // 2)
    groups = np.array([f"{singer:02d}" for singer in SINGERS])
    result = evaluate({"a": feature}, {"b": classifier}, None, y, groups=groups, n_repeats=1)
    result.report = Path.touch
    loaded = EvaluationResult.load(result.save(tmp_path))
    assert_same(loaded, result)
    loaded.report(tmp_path / "again.html")


def test_no_cell_of_a_saved_table_is_run_by_a_spreadsheet(tmp_path):
    X = np.random.default_rng(0).normal(size=(16, 2))
    labels = np.tile(["=1+1", "-0.5"], 8)
    groups = np.repeat(["\t=1", "b", "c", "d"], 4)
    options = {"groups": groups, "n_folds": 2, "n_repeats": 1}
    result = evaluate({"@x": X}, {"+y()": GaussianNB()}, X, labels, **options)
    result.report = Path.touch
    folder = result.save(tmp_path)
    cells = pd.concat(
        [
            pd.read_csv(folder / f"{name}.csv", header=None, dtype=str, keep_default_na=False)
            for name in ("scores", "predictions", "maps")
        ]
    )
    texts = {text for text in cells.to_numpy(dtype=str).ravel() if text[:1] in set("=+-@\t\r")}
    assert all(float(text) is not None for text in texts)
    assert "'=1+1" in set(cells.to_numpy(dtype=str).ravel())
    assert_same(EvaluationResult.load(folder), result)


def test_a_weights_label_that_looks_missing_is_kept(result, tmp_path):
    odd = copy_of(result)
    odd.scores["weights"] = ["", None, "None", "-"] * (len(result.scores) // 4)
    assert_same(EvaluationResult.load(odd.save(tmp_path)), odd)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("settings",), [], "not the manifest of a result"),
        (("settings", "scoring"), 3, "not the manifest of a result"),
        (("settings", "task"), "mine", "is of the task 'mine', which is not registered here"),
    ],
)
def test_settings_that_were_changed_are_an_error(result, tmp_path, where, value, message):
    path = copy_of(result).save(tmp_path) / "manifest.json"
    manifest = part = json.loads(path.read_text())
    # Without the checksum, as in a result of an earlier skmer.
    del manifest["sha256"]
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        EvaluationResult.load(tmp_path)


def test_an_earlier_result_has_a_report_without_a_map(result, tmp_path):
    folder = copy_of(result).save(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["tables"]["maps"], manifest["sha256"], manifest["settings"]["task"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "maps.csv").unlink()
    again = EvaluationResult.load(folder)
    assert again.task.name == "classification"
    assert again.maps.empty
    page = again.report(tmp_path / "again.html").read_text()
    assert 'id="chart-scores"' in page
    assert 'id="chart-map"' not in page


def test_measurements_without_a_number_do_not_stop_a_save(tmp_path):
    y = np.tile(["calm", "sad"], 20)
    same = evaluate({"a": np.ones((40, 2))}, {"nb": DummyClassifier()}, None, y, protocol="koh2021")
    same.report = Path.touch
    assert_same(EvaluationResult.load(same.save(tmp_path)), same)


def test_the_manifest_says_what_it_rests_on(result):
    manifest = result.manifest
    assert manifest["dataset"] == {
        "n_clips": N_CLIPS, "classes": {"NA": 30, "sad": 30}, "n_groups": 10
    }  # fmt: skip
    assert manifest["settings"]["random_state"] == 0
    assert manifest["settings"]["task"] == "classification"
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
    audits = manifest["audit"]
    assert {found["kind"] for found in audits["koh2021"]["findings"]} == {
        "shared_groups", "identity_probe", "identical_features"
    }  # fmt: skip
    assert [one["kind"] for one in audits["grouped"]["findings"]] == ["identical_features"]
    assert audits["grouped"]["measurements"]["identity_accuracy"] > 0.5


def test_regression_is_saved_with_its_report(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 3))
    result = evaluate_regression(
        {"a": X}, {"ridge": Ridge()}, None, X[:, :2], protocol="shuffled", n_folds=4
    )
    folder = result.save(tmp_path)
    assert "valence" in (folder / "report.html").read_text(encoding="utf-8")
    assert_same(RegressionResult.load(folder), result)


def test_a_second_save_replaces_everything_or_nothing(result, tmp_path, monkeypatch):
    folder = copy_of(result).save(tmp_path)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    second = copy_of(result, slice(None, None, -1))

    def fail(path):
        path.write_text("half a page")
        raise OSError("the disk is full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk is full"):
        patch.setattr(store, "write_table", lambda table, path: fail(path))
        second.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    # The scores are not lost with the page, as where a template or a font is not found.
    second.report = fail
    for place in (tmp_path / "new", folder):
        with pytest.raises(OSError, match="disk is full"):
            second.save(place)
        loaded = EvaluationResult.load(place)
        assert_frame_equal(loaded.predictions, second.predictions, check_exact=True)
        assert not (place / "report.html").exists()
    (tmp_path / "file").write_text("")
    message = r"cannot be written into the folder '.*file.*' \(.*\); choose another one"
    with pytest.raises(OSError, match=message):
        second.save(tmp_path / "file")


@pytest.mark.parametrize("n_moved", [-1, 0, 3, 4])
def test_a_save_that_was_killed_is_done_or_was_not_begun(result, tmp_path, monkeypatch, n_moved):
    first, second = copy_of(result), copy_of(result, slice(None, None, -1))
    folder = first.save(tmp_path)
    steps = []

    def die(name):
        real = getattr(os, name)

        def call(source, target):
            if "moving" in f"{source} {target}":
                if len(steps) > n_moved:
                    raise KeyboardInterrupt
                steps.append(target)
            return real(source, target)

        return call

    with monkeypatch.context() as patched:
        for name in ("replace", "rename"):
            patched.setattr(os, name, die(name))
        with pytest.raises(KeyboardInterrupt):
            second.save(folder)
    assert_same(EvaluationResult.load(folder), first if n_moved < 0 else second)
    assert_same(EvaluationResult.load(first.save(folder)), first)
    assert len(list(folder.iterdir())) == 5


def test_results_that_are_saved_into_one_folder_at_once_never_mix(result, tmp_path):
    saved = {len(one.scores): one for one in (copy_of(result, slice(4)), copy_of(result))}
    for one in saved.values():
        one.save(tmp_path)
    done = threading.Event()

    def save_on(one):
        # Each save makes a folder of its own; only the moving of files meets that of others.
        while not done.is_set():
            one.save(tmp_path)

    writers = [threading.Thread(target=save_on, args=(one,)) for one in saved.values()]
    for writer in writers:
        writer.start()
    seen = []
    try:
        while len(seen) < 20 or (len(set(seen)) < 2 and len(seen) < 2000):
            loaded = EvaluationResult.load(tmp_path)
            seen.append(len(loaded.scores))
            assert_same(loaded, saved[len(loaded.scores)])
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert set(seen) == set(saved)


def test_a_result_that_is_replaced_twice_while_it_is_read(result, tmp_path, monkeypatch):
    few, all_rows = copy_of(result, slice(4)), copy_of(result)
    folder, real, others = few.save(tmp_path), store.paths.open_placed, [all_rows, few]

    def open_late(folder, name):
        if name == "predictions.csv" and others:
            others.pop(0).save(folder)
            file = real(folder, name)
            others.pop(0).save(folder)
            return file
        return real(folder, name)

    monkeypatch.setattr(store.paths, "open_placed", open_late)
    assert_same(EvaluationResult.load(folder), few)
    assert not others

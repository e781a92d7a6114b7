"""The evaluation of clips that are files, further scores, and what is fitted to all clips."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from sklearn.metrics import cohen_kappa_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skmer.embeddings import MFCCStatsTransformer
from skmer.evaluation import AccuracyBarsDisplay, EvaluationResult, evaluate
from skmer.exceptions import FeatureLeftOutWarning, InputError, WeightsNotFoundError

from .conftest import LABELS, N_CLIPS, SINGERS


@pytest.fixture
def songs(tmp_path):
    """Twenty-four clips of six singers on disk, with their labels and singers."""
    rng = np.random.default_rng(0)
    y, singers = np.tile(["calm", "sad"], 12), np.repeat(np.arange(6), 4)
    paths = []
    for i, (label, singer) in enumerate(zip(y, singers)):
        tone = np.sin(2 * np.pi * (200 + 40 * singer) * np.arange(8000) / 8000)
        paths.append(tmp_path / f"{i}.wav")
        noise = rng.normal(scale=0.02 if label == "calm" else 0.1, size=8000)
        soundfile.write(paths[-1], 0.3 * tone + noise, 8000)
    return paths, y, singers


def findings(result, protocol="grouped"):
    """Kind and severity of what the audit found in a protocol."""
    found = result.manifest["audit"][protocol]["findings"]
    return {one["kind"]: one["severity"] for one in found}


def test_a_copy_across_a_split_is_an_error_and_one_within_a_singer_is_nothing(songs):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 6, "n_repeats": 1}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    paths[2].write_bytes(paths[0].read_bytes())
    assert findings(evaluate(features, nb, paths, y, **run)) == {}
    audio, sr = soundfile.read(paths[1])
    paths[21] = paths[21].with_suffix(".flac")
    soundfile.write(paths[21], audio, sr)
    assert findings(evaluate(features, nb, paths, y, **run)) == {"duplicate_audio": "error"}


def test_the_audit_decodes_no_clip_that_is_embedded(songs, tmp_path, monkeypatch):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    features = {"mfcc": MFCCStatsTransformer(memory=tmp_path / "cache")}
    first = evaluate(features, {"nb": GaussianNB()}, paths, y, **run)

    def fail(*args, **kwargs):
        raise AssertionError("a clip was decoded")

    monkeypatch.setattr("skmer.evaluation.auditing.copies.read_audio", fail)
    monkeypatch.setattr("skmer.embeddings.recipe.stream_audio", fail)
    again = evaluate(features, {"nb": GaussianNB()}, paths, y, **run)
    assert again.manifest["audit"] == first.manifest["audit"]
    assert "duplicate_audio" in again.manifest["audit"]["grouped"]["checked"]


def test_all_clips_that_cannot_be_read_are_told_of_at_once(songs):
    paths, y, singers = songs
    paths[3].write_bytes(b"no audio")
    paths[8].unlink()
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    with pytest.raises(InputError, match=r"2 of 24 clips cannot be used \(rows 3, 8\)") as refused:
        evaluate(features, nb, paths, y, **run)
    assert "on_error='skip'" in str(refused.value)
    assert "3.wav" in str(refused.value)
    assert len(str(refused.value)) <= 500


def test_clips_that_cannot_be_read_are_left_out(songs, tmp_path):
    paths, y, singers = songs
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1, "protocol": ["grouped", "koh2021"]}
    features, nb = {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}
    kept = np.setdiff1d(np.arange(24), [3, 8])
    whole = evaluate(
        features, nb, [paths[row] for row in kept], y[kept], **run | {"groups": singers[kept]}
    )
    paths[3].write_bytes(b"no audio")
    paths[8].unlink()
    result = evaluate(features, nb, paths, y, on_error="skip", **run)
    assert np.allclose(result.scores["accuracy"], whole.scores["accuracy"])
    assert (result.predictions["row"] == kept[whole.predictions["row"]]).all()
    assert (result.predictions["y_true"] == y[result.predictions["row"]]).all()
    assert (result.predictions["group"] == singers[result.predictions["row"]]).all()
    assert result.manifest["dataset"]["n_clips"] == 22
    skipped = result.manifest["skipped_clips"]
    assert [clip["row"] for clip in skipped] == [3, 8]
    assert "3.wav" in skipped[0]["reason"]
    tested = result.manifest["protocols"]["koh2021"]["splits"][0]["test"]
    koh = result.predictions.query("protocol == 'koh2021'")
    assert sorted(koh["row"]) == sorted(tested)
    page = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 clips could not be used." in page
    assert "8.wav" in page
    with pytest.raises(
        InputError, match="'on_error' parameter of evaluate must be one of 'raise', 'skip'"
    ):
        evaluate(features, nb, paths, y, on_error="nan", **run)


def test_further_scores(feature, tmp_path):
    run = {"X": None, "y": LABELS, "protocol": "koh2021", "n_repeats": 2, "audit": False}
    scoring = ["roc_auc_ovr", "accuracy"]
    result = evaluate({"a": feature}, {"nb": GaussianNB()}, scoring=scoring, **run)
    assert result.metrics[-1] == "roc_auc_ovr"
    assert list(result.scores).count("accuracy") == 1
    split = result.manifest["protocols"]["koh2021"]["splits"][0]
    test, validation = np.array(split["test"]), split["validation"]
    train = np.setdiff1d(np.arange(N_CLIPS), [*test, *validation])
    nb = GaussianNB().fit(feature[train], LABELS[train])
    expected = get_scorer("roc_auc_ovr")(nb, feature[test], LABELS[test])
    assert result.scores["roc_auc_ovr"][0] == pytest.approx(expected)
    assert result.summary()["roc_auc_ovr"].item() == pytest.approx(
        result.scores["roc_auc_ovr"].mean()
    )
    loaded = EvaluationResult.load(result.save(tmp_path))
    assert loaded.metrics == result.metrics
    own = {"kappa": make_scorer(cohen_kappa_score), "loss": "neg_log_loss"}
    for further in (own, make_scorer(cohen_kappa_score), "neg_log_loss"):
        scores = evaluate({"a": feature}, {"nb": GaussianNB()}, scoring=further, **run).scores
        assert (
            scores[["kappa", "loss"] if further is own else scores.columns[9]]
            .notna()
            .all(axis=None)
        )


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("auc", r"Got \['auc'\]: "),
        ("roc_auc", r"Got \['roc_auc'\]: multi_class must be"),
        ({"fold": "accuracy"}, "a score of the name 'fold', which is a column"),
        ({"accuracy": "f1_macro"}, "a score of the name 'accuracy'"),
        ([cohen_kappa_score], "must be a name, a scorer, a list of names, or a dict"),
    ],
)
def test_scores_that_cannot_be_had_are_refused_before_any_work(feature, scoring, message):
    def fail(X):
        raise AssertionError("work was done")

    with pytest.raises(InputError, match=message):
        evaluate(
            {"a": FunctionTransformer(fail)}, {"nb": GaussianNB()}, feature, LABELS,
            protocol="koh2021", scoring=scoring,
        )  # fmt: skip


def test_features_that_nobody_named(songs, monkeypatch):
    paths, y, singers = songs

    def refuse(self):
        raise WeightsNotFoundError("Its weights are not here; fetch them.")

    for name in ("L3Transformer", "VGGishTransformer", "MusiCNNTransformer"):
        monkeypatch.setattr(f"skmer.embeddings.{name}._fit_network", refuse)
    run = {"groups": singers, "n_folds": 3, "n_repeats": 1}
    with pytest.warns(FeatureLeftOutWarning, match="is left out: .* fetch them"):
        result = evaluate(None, {"nb": GaussianNB()}, paths, y, **run)
    assert list(result.manifest["features"]) == ["mfcc"]
    assert set(result.manifest["left_out_features"]) == {"l3", "vggish", "musicnn"}
    with pytest.raises(WeightsNotFoundError, match="fetch them"):
        evaluate(["mfcc", "l3"], {"nb": GaussianNB()}, paths, y, **run)


class Drawn(FunctionTransformer):
    """A feature from a network that was never trained."""

    def fit(self, X, y=None):
        self.weights_are_random_ = True
        self.weights_label_ = "random weights (seed 3)"
        return super().fit(X, y)


def test_random_weights_in_a_union_are_labelled_everywhere(feature, tmp_path):
    union = make_union(Drawn(), FunctionTransformer(np.abs))
    result = evaluate(
        {"vggish": union, "abs": FunctionTransformer(np.abs)}, {"nb": GaussianNB()}, feature, LABELS,
        protocol="koh2021", n_repeats=2, audit=False,
    )  # fmt: skip
    assert result.random_features() == {"vggish": "random weights (seed 3)"}
    assert result.scores.groupby("feature")["random_weights"].all().to_dict() == {
        "abs": False, "vggish": True
    }  # fmt: skip
    for display in (
        AccuracyBarsDisplay.from_frame(result.scores),
        AccuracyBarsDisplay.from_frame(result.intervals()),
    ):
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts == ["VGGish (random weights)", "abs"]
        plt.close(display.figure_)
    assert "VGGish has random weights" in result.report(tmp_path / "report.html").read_text()


def test_a_configuration_fitted_to_all_clips(songs):
    paths, y, singers = songs
    clips = [(soundfile.read(path)[0], 8000) for path in paths]
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1, 10]})
    result = evaluate(
        {"mfcc": MFCCStatsTransformer(), "array": np.eye(24)}, {"svm": search, "nb": GaussianNB()},
        clips, y, groups=singers, n_folds=3, n_repeats=1,
    )  # fmt: skip
    model = result.fit(feature="mfcc", classifier="svm")
    assert list(model.named_steps) == ["transformer", "classifier"]
    folds = model[-1].cv.split(y, y, singers)
    assert all(not set(singers[train]) & set(singers[test]) for train, test in folds)
    expected = model[-1].best_estimator_.predict(MFCCStatsTransformer().fit_transform(paths))
    assert np.array_equal(model.predict([str(path) for path in paths]), expected)
    assert not hasattr(search, "best_params_")
    alone = result.fit(feature="array", classifier="nb")
    assert np.array_equal(
        alone.predict(np.eye(24)), GaussianNB().fit(np.eye(24), y).predict(np.eye(24))
    )
    with pytest.raises(InputError, match=r"'feature' parameter of fit must be one of 'mfcc', 'ar"):
        result.fit(feature="l3", classifier="nb")
    read = EvaluationResult(result.scores, result.predictions, result.manifest)
    with pytest.raises(InputError, match="read from files, which hold no clips"):
        read.fit(feature="mfcc", classifier="nb")


def test_numpy_numbers_are_numbers(feature, tmp_path):
    result = evaluate(
        {"a": feature}, {"nb": GaussianNB()}, None, LABELS, groups=SINGERS,
        n_folds=np.int64(3), n_repeats=np.int64(1), random_state=np.int64(3),
    )  # fmt: skip
    assert EvaluationResult.load(result.save(tmp_path)).manifest == result.manifest


@pytest.mark.slow
def test_real_singers_are_told_apart_by_the_baseline(shared):
    """On real clips: about 0.8 with singers on both sides, far less with singers held out."""
    clips = sorted((shared / "data" / "ravdess_song").glob("Actor_*/*.flac"))
    if not clips:
        pytest.skip("needs the shared development data beside the checkout")
    names = [clip.stem.split("-") for clip in clips]
    result = evaluate(
        {"mfcc": MFCCStatsTransformer()},
        {"svm": make_pipeline(StandardScaler(), SVC(C=10))},
        [str(clip) for clip in clips],
        [name[2] for name in names],
        groups=[name[6] for name in names],
        protocol=["koh2021", "grouped"],
    )
    random, grouped = result.summary()["accuracy"]
    assert random == pytest.approx(0.80, abs=0.04)
    assert 0.40 < grouped < 0.58
    assert result.manifest["audit"]["grouped"]["findings"] == []
    found = {found["kind"] for found in result.manifest["audit"]["koh2021"]["findings"]}
    assert found == {"shared_groups", "identity_probe"}

"""Every leak is planted and found; a clean design is met with silence."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from skmer.evaluation import AuditFinding, AuditReport, audit, evaluate
from skmer.evaluation.auditing import copies as _evidence
from skmer.evaluation.auditing.audit import judge
from skmer.evaluation.auditing.copies import MOST_COPIES, N_NEIGHBORS
from skmer.evaluation.auditing.leaks import Splits

N_GROUPS, N_EACH, N_COLUMNS = 12, 8, 6
N_ROWS = N_GROUPS * N_EACH
GROUPS = np.repeat([f"singer {i}" for i in range(N_GROUPS)], N_EACH)
Y = np.tile(["calm", "angry"], N_ROWS // 2)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def X(rng):
    """Features that know the label and nothing else."""
    return rng.normal(3, 2, size=(N_ROWS, N_COLUMNS)) + 2.0 * (Y == "angry")[:, None]


@pytest.fixture
def waveforms(rng):
    return rng.integers(-20000, 20000, size=(N_ROWS, 400), dtype=np.int16)


@pytest.fixture
def paths(tmp_path, waveforms):
    written = [tmp_path / f"{row:03d}.wav" for row in range(N_ROWS)]
    for path, waveform in zip(written, waveforms):
        soundfile.write(path, waveform, 8000, subtype="PCM_16")
    return written


def kinds(report):
    return [finding.kind for finding in report.findings]


def only(report, kind):
    """The single finding of a kind, which must be there."""
    (found,) = (finding for finding in report.findings if finding.kind == kind)
    return found


def test_silent_on_a_clean_design(X, paths, rng):
    affect = rng.uniform(-1, 1, size=(N_ROWS, 2))
    report = audit(
        X,
        Y,
        groups=GROUPS,
        cv=GroupKFold(4),
        paths=paths,
        items=[f"song {row}" for row in range(N_ROWS)],
        datasets=np.repeat(["one", "two"], N_ROWS // 2),
        targets=affect,
        reference=affect + rng.normal(0, 0.3, size=(N_ROWS, 2)),
        preprocessing=None,
    )
    assert report.findings == ()
    assert report.clean
    assert len(report.checked) == 14
    assert report.skipped == {}
    assert str(report) == "nothing found in 14 checks"
    assert len(report.to_frame()) == 0


@pytest.mark.parametrize("n_columns", [1, 2, 20, 100])
@pytest.mark.parametrize("law", ["normal", "lognormal", "clusters", "relu"])
def test_silent_on_features_of_many_kinds(n_columns, law, rng):
    for _ in range(5):
        X = rng.normal(size=(150, n_columns))
        if law == "lognormal":
            X = np.exp(X)
        elif law == "clusters":
            X += 8 * np.repeat(rng.normal(size=(10, n_columns)), 15, axis=0)
        elif law == "relu" and n_columns > 2:
            X = np.maximum(X, -0.5)
        groups = rng.permutation(np.repeat(np.arange(10), 15))
        assert kinds(audit(X.astype(np.float32), groups=groups)) == []


def test_says_what_it_could_not_check(X):
    report = audit(X)
    assert set(report.checked) == {"near_duplicates", "preprocessing"}
    assert report.skipped["shared_groups"] == "groups and cv"
    assert report.skipped["duplicate_files"] == "paths"
    assert "not checked: swapped_columns (needs targets and reference)" in str(report)


def test_shared_groups(X):
    report = audit(X, Y, groups=GROUPS, cv=StratifiedKFold(5))
    found = only(report, "shared_groups")
    assert found.severity == "error"
    assert found.message.startswith(f"{len(found.row_sets)} of 12 groups")
    crossing = [set(rows) for rows in found.row_sets]
    for group in range(N_GROUPS):
        of_group = set(range(group * N_EACH, (group + 1) * N_EACH))
        crosses = any(
            of_group & set(train) and of_group & set(test)
            for train, test in StratifiedKFold(5).split(X, Y)
        )
        assert (of_group in crossing) == crosses
    assert len(report.to_frame()) == len(report.findings)


def test_shared_rows():
    halves = [(np.arange(60), np.arange(58, N_ROWS)), (np.arange(60), np.arange(60, N_ROWS))]
    found = only(audit(Y[:, None] == "calm", cv=halves), "shared_rows")
    assert found.rows == (58, 59)
    assert found.message == "2 rows are in the training set and in the test set of one split."
    masks = [(np.arange(N_ROWS) < 60, np.arange(N_ROWS) >= 60)]
    assert "shared_rows" not in kinds(audit(items=np.arange(N_ROWS), cv=masks))


def test_identical_files_across_folds(paths):
    paths[90].write_bytes(paths[3].read_bytes())
    paths[2].write_bytes(paths[1].read_bytes())
    report = audit(groups=GROUPS, cv=GroupKFold(4), paths=paths)
    found = only(report, "duplicate_files")
    # The copy inside one singer stays on one side of every split.
    assert (found.severity, found.row_sets) == ("error", ((3, 90),))
    assert "003.wav and" in found.message
    assert kinds(audit(paths=paths)) == ["duplicate_files"]
    assert audit(paths=paths).findings[0].row_sets == ((1, 2), (3, 90))
    assert audit(paths=paths).findings[0].severity == "warning"


def test_the_same_recording_in_another_container(paths, waveforms):
    flac = paths[90].with_suffix(".flac")
    soundfile.write(flac, waveforms[3], 8000, subtype="PCM_16")
    paths[90] = flac
    report = audit(groups=GROUPS, cv=GroupKFold(4), paths=[str(path) for path in paths])
    assert kinds(report) == ["duplicate_audio"]
    assert report.findings[0].rows == (3, 90)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
def test_near_duplicates_by_embedding(X, rng, noise):
    X[90:93] = X[3] + noise * rng.normal(size=(3, N_COLUMNS))
    report = audit(X, Y, groups=GROUPS, cv=GroupKFold(4))
    found = only(report, "near_duplicates")
    assert (found.severity, found.rows) == ("error", (3, 90, 91, 92))
    assert report.measurements["intrinsic_dimension"] == pytest.approx(N_COLUMNS, rel=0.35)


def test_more_copies_than_neighbours(X):
    near = np.concatenate([X] + [X[:4] * (1 + 1e-6 * i) for i in range(1, 10)])
    assert {len(rows) for rows in only(audit(near), "near_duplicates").row_sets} == {10}
    X[40:80] = X[0]
    assert len(only(audit(X), "near_duplicates").rows) == 41
    X[:80] = X[0]
    assert len(only(audit(X), "near_duplicates").rows) == 80


def test_one_item_in_two_datasets(X, paths):
    datasets = np.repeat(["4q", "bimodal"], N_ROWS // 2)
    paths[70].write_bytes(paths[5].read_bytes())
    found = only(audit(paths=paths, datasets=datasets), "item_in_two_datasets")
    assert found.rows == (5, 70)
    assert "005.wav (4q)" in found.message
    X[71] = X[6] + 1e-3
    assert only(audit(X, datasets=datasets), "item_in_two_datasets").rows == (6, 71)
    items = [f"Band - Song {row}" for row in range(N_ROWS)]
    items[72], items[73] = "BAND:  song 7", "Band - Song 74"
    report = audit(items=items, datasets=datasets)
    assert only(report, "item_in_two_datasets").rows == (7, 72)
    assert only(report, "duplicate_items").rows == (7, 72, 73, 74)


def test_identity_probe(X, rng):
    voice = rng.normal(size=(N_GROUPS, N_COLUMNS))
    X += 4 * np.repeat(voice, N_EACH, axis=0)
    leaky = audit(X, Y, groups=GROUPS, cv=KFold(4, shuffle=True, random_state=0))
    found = only(leaky, "identity_probe")
    assert found.severity == "error"
    assert "keep groups apart" in found.message
    assert leaky.measurements["identity_accuracy"] > 0.6
    assert leaky.measurements["identity_chance"] < 0.2
    assert leaky.measurements["identity_pvalue"] == 1 / 2000
    unknown = audit(X, Y, groups=GROUPS)
    assert only(unknown, "identity_probe").severity == "warning"
    # Recognisable singers do no harm where no split mixes them.
    apart = audit(X, Y, groups=GROUPS, cv=GroupKFold(4))
    assert apart.clean
    assert apart.measurements["identity_accuracy"] > 0.6


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_a_group_known_by_its_label_alone_is_no_identity(rng, kind):
    """Artists of one mood each: the mood shows, the artist behind it does not."""
    mood = np.repeat(np.arange(N_GROUPS) % 3, N_EACH)
    X = rng.normal(size=(N_ROWS, 2)) + 20 * mood[:, None]
    y = mood if kind == "labels" else mood + 0.01 * rng.random(N_ROWS)
    if kind == "labels":
        report = audit(X, y, groups=GROUPS)
        assert kinds(report) == ["target_in_features"]
        assert report.measurements["identity_chance"] == pytest.approx(0.25, abs=0.06)
    assert kinds(audit(X, groups=GROUPS)) == ["identity_probe"]


@pytest.mark.parametrize("noise", [0, 1e-4])
@pytest.mark.parametrize("n_copies", [1, 4, 9])
def test_every_row_has_copies(rng, n_copies, noise):
    """As many copies of every row as the audit states are found, and no others."""
    X = rng.normal(size=(80, 10))
    copied = np.concatenate([X] + [X + noise * rng.normal(size=X.shape) for _ in range(n_copies)])
    report = audit(copied)
    if n_copies > MOST_COPIES and noise:
        # To this the audit is blind, and its documentation says so.
        assert report.clean
        return
    found = only(report, "near_duplicates")
    assert len(found.rows) == len(copied)
    assert {len(rows) for rows in found.row_sets} == {n_copies + 1}


def test_the_documentation_states_how_many_copies_are_found():
    words = " ".join(audit.__doc__.split())
    assert f"up to {MOST_COPIES} near duplicates of every clip" in words
    assert f"up to {N_NEIGHBORS - 1} of fewer than half of the rows" in words


def test_columns_that_tell_the_target(rng):
    X = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"])
    y, rating = np.repeat(["happy", "sad"], 20), rng.uniform(1, 9, 40)
    assert audit(X, y).clean
    assert audit(X, rating).clean
    # A code of the label, finer classes in any order, and a threshold.
    for column in (y == "sad", rng.permutation(4)[np.arange(40) // 10], (y == "sad") * 9 + X["a"]):
        found = only(audit(X.assign(id=np.asarray(column, float)), y), "target_in_features")
        assert "1 column tells the target by itself, such as 'id' of 'X'" in found.message
    for column in (rating + 0.3, -np.exp(rating), rating.round(2)):
        only(audit(X.assign(id=column), rating), "target_in_features")
        only(audit(X.assign(id=column), np.c_[X["a"], rating]), "target_in_features")
    # What is made of more labels than two: one of them, and a half of the plane that they are in.
    mood = rng.permutation(np.tile(["angry", "calm", "happy", "sad"], 10))
    for made in (mood == "calm", np.isin(mood, ["calm", "happy"])):
        only(audit(X.assign(id=made * 1.0), mood), "target_in_features")
    assert audit(X.assign(id=(np.arange(40) == np.argmax(mood == "calm")) * 1.0), mood).clean
    # Of few rows it may be an accident.
    assert audit(X[18:23].assign(id=(y == "sad")[18:23]), y[18:23]).clean


def test_groups_that_may_be_one():
    names = [
        "Gipsy Kings",
        "gipsy kings",
        "Björk",
        "Bjo\u0308rk ",
        "Beyonce",
        "Beyonce feat. Jay",
        "Ann",
    ]
    found = only(audit(groups=names), "similar_groups")
    assert found.message.startswith("2 groups may be one")
    assert found.row_sets == ((4, 5), (0, 1))


def test_swapped_columns(rng):
    dynamic = pd.DataFrame(rng.uniform(-1, 1, size=(200, 2)), columns=["arousal", "valence"])
    dynamic["valence"] += 0.5 * dynamic["arousal"]
    static = dynamic + rng.normal(0, 0.3, size=(200, 2))
    assert audit(targets=static, reference=dynamic).clean
    swapped = static[["valence", "arousal"]].set_axis(["arousal", "valence"], axis=1)
    found = only(audit(targets=swapped, reference=dynamic), "swapped_columns")
    assert found.severity == "error"
    assert "'arousal' correlates" in found.message
    # Columns with names go by these.
    assert audit(targets=static, reference=dynamic[["valence", "arousal"]]).clean
    noise = rng.normal(size=(200, 2))
    assert audit(targets=noise, reference=dynamic).clean


@pytest.mark.parametrize(
    ("scaler", "sign"),
    [
        (StandardScaler(), "mean 0 and standard deviation 1"),
        (MinMaxScaler(), "range from exactly 0 to 1"),
        (RobustScaler(), "median 0 and interquartile range 1"),
        (PCA(4), "no correlation with each other"),
        (PCA(4, whiten=True), "mean 0 and standard deviation 1"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_preprocessing_outside_the_fold(X, scaler, sign, dtype):
    flags = (X[:, :1] > 3).astype(dtype)
    scaled = np.hstack([scaler.fit_transform(X.astype(dtype)), flags])
    found = only(audit(scaled, cv=KFold(4)), "preprocessing")
    assert found.severity == "warning"
    assert sign in found.message
    train = np.arange(N_ROWS) < 72
    inside = np.hstack([scaler.fit(X[train]).transform(X), flags])
    assert audit(inside, cv=[(train, ~train)]).clean


def test_a_scaler_that_saw_every_row(X):
    splits = [(np.arange(72), np.arange(72, N_ROWS))]
    outside = make_pipeline(StandardScaler(), SelectKBest(k=2)).fit(X, Y)
    found = only(audit(X, cv=splits, preprocessing=outside), "preprocessing")
    assert found.message.startswith("StandardScaler was fitted on 96 rows")
    assert found.severity == "error"
    inside = [StandardScaler().fit(X[:72]), PCA(2).fit(X[:72])]
    assert audit(X, cv=splits, preprocessing=inside).clean
    assert "PCA was fitted on 96 rows" in str(audit(X, preprocessing=PCA(2).fit(X)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "audit needs something to look at"),
        ({"X": np.ones((5, 2)), "groups": [1, 2]}, r"one row a clip. Got \{'X': 5, 'groups': 2\}"),
        ({"X": [[np.nan, 1.0]] * 5}, "Input X contains NaN"),
        ({"groups": [1, 2], "cv": [(0, 1, 2)]}, "too many values to unpack"),
        ({"groups": [1, 2], "cv": []}, "at least one split"),
        ({"groups": ["a", None, "b"]}, "groups have missing values: 1 of 3 clips .* row 1"),
        ({"groups": [1.0, np.nan, 2.0]}, "groups have missing values"),
        ({"groups": ["a", 1, "b"]}, "all text, or all numbers"),
        ({"X": [["calm", "sad"]] * 5}, "could not convert string to float"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        audit(**arguments)


def test_files_that_are_not_here_are_said_and_the_others_compared(paths):
    paths[90].write_bytes(paths[3].read_bytes())
    paths[5].unlink()
    paths[6].write_text("no audio")
    report = audit(groups=GROUPS, cv=GroupKFold(4), paths=paths)
    assert only(report, "duplicate_files").rows == (3, 90)
    found = only(report, "unread_files")
    assert (found.severity, found.rows) == ("warning", (5, 6))
    assert found.message.startswith("2 of 96 files could not be read here, such as '")


def test_arrays_of_clips_that_are_on_another_machine_are_evaluated(X):
    elsewhere = [f"/elsewhere/{row}.wav" for row in range(N_ROWS)]
    result = evaluate({"mine": X}, {"nb": GaussianNB()}, elsewhere, Y, groups=GROUPS)
    (finding,) = result.manifest["audit"]["grouped"]["findings"]
    assert finding["kind"] == "unread_files"
    assert "96 of 96 files could not be read here" in result._repr_html_()


def test_paths_are_no_features(paths):
    for X in (paths, [str(path) for path in paths]):
        with pytest.raises(TypeError, match="Got text or paths instead; give files as paths="):
            audit(X, Y, groups=GROUPS)


def test_what_does_not_depend_on_the_splits_is_found_out_once(X, monkeypatch):
    calls = []
    for name in ("near_sets", "identity_probe"):
        real = getattr(_evidence, name)
        monkeypatch.setattr(
            _evidence,
            name,
            lambda *a, _name=name, _real=real, **k: calls.append(_name) or _real(*a, **k),
        )
    evidence = _evidence.Evidence(X, Y, groups=GROUPS)
    for cv in (GroupKFold(4), KFold(4)):
        assert (
            judge(evidence, Splits(cv, N_ROWS, X, Y, GROUPS)).measurements
            == audit(X, Y, groups=GROUPS, cv=cv).measurements
        )
    assert calls.count("near_sets") == calls.count("identity_probe") == 1 + 2


def test_published_features_of_emomusic_have_no_duplicates(shared):
    folder = shared / "data" / "choi2017"
    for name in ("mfcc", "layer_2"):
        assert audit(np.load(folder / f"emoMusic_{name}.npy")).clean


def test_static_annotations_of_emomusic_are_not_swapped(shared):
    folder = shared / "data" / "emomusic"
    frames = {
        axis: pd.read_csv(folder / f"{axis}_cont_average.csv", index_col=0).mean(axis=1)
        for axis in ("arousal", "valence")
    }
    static = pd.read_csv(folder / "static_annotations.csv", index_col=0, skipinitialspace=True)
    static = static[["mean_arousal", "mean_valence"]]
    reference = pd.DataFrame(frames).loc[static.index]
    assert audit(targets=static, reference=reference).clean
    swapped = static[["mean_valence", "mean_arousal"]]
    assert kinds(audit(targets=swapped, reference=reference)) == ["swapped_columns"]


def test_a_notebook_shows_the_findings_as_text():
    finding = AuditFinding("shared_groups", "error", "<b>ann</b> is on both sides.", ((1, 2),))
    shown = AuditReport((finding,), ("shared_groups",), {"identity_probe": "X"}, {})._repr_html_()
    assert shown == (
        "<ul><li>error: &lt;b&gt;ann&lt;/b&gt; is on both sides.</li>"
        "<li>not checked: identity_probe (needs X)</li></ul>"
    )


def test_one_recording_under_two_labels_is_found(paths, waveforms):
    # Row 8 is of another label than row 1 and of the next singer, who is kept on the same side.
    soundfile.write(paths[8], waveforms[1], 8000, subtype="PCM_16")
    groups = np.where(GROUPS == "singer 1", "singer 0", GROUPS)
    found = only(audit(y=Y, paths=paths, groups=groups, cv=GroupKFold(4)), "several_labels")
    assert found.row_sets == ((1, 8),)
    assert "labelled angry and calm" in found.message
    numbers, tags = np.arange(len(Y)) / 4, np.eye(2, dtype=int)[(Y == "calm") * 1]
    for y, labels in ((numbers, "0.25 and 2.0"), (tags, "1, 0 and 0, 1")):
        found = only(audit(y=y, paths=paths, groups=groups, cv=GroupKFold(4)), "several_labels")
        assert f"labelled {labels};" in found.message


def test_groups_are_shuffled_within_strata_whatever_their_number(monkeypatch):
    rng = np.random.default_rng(0)
    strata, groups = np.repeat(np.arange(20), 6), np.tile(np.arange(12), 10)
    nearest = rng.permutation(120)
    loop = _evidence.identity_probe(nearest, strata, groups, 2000, 0)
    monkeypatch.setattr(_evidence, "_MANY_STRATA", 1)
    at_once = _evidence.identity_probe(nearest, strata, groups, 2000, 0)
    assert at_once.accuracy == loop.accuracy
    # By chance both give the same, up to the random numbers of 2000 permutations.
    assert at_once.chance == pytest.approx(loop.chance, abs=0.004)
    # A group that is all of its stratum is the same in every permutation.
    assert _evidence.identity_probe(nearest, groups, groups, 99, 0).pvalue == 1


def test_many_tags_cost_no_copies_of_the_features(rng):
    """One sort of each column serves all tags, and no table as large as X is made for any."""
    X = rng.normal(size=(1500, 200)).astype(np.float32)
    tags = (rng.normal(size=(1500, 40)) > 0).astype(int)
    X[:, 7] = tags[:, 3] * 9 + rng.random(1500)
    columns = {"mine": [f"c{i}" for i in range(200)]}
    evidence = _evidence.Evidence(X, tags, features={"mine": X}, columns=columns)
    tracemalloc.start()
    report = judge(evidence, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "1 column tells the target by itself, such as 'c7' of 'mine'" in str(report)
    assert peak < 2.5 * X.nbytes

"""Two datasets: fitted on one and tested on the other, what has a partner, and what is shared."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB

from skmer.datasets import AffectScale, fetch_emomusic, fetch_pmemo
from skmer.embeddings import MFCCStatsTransformer
from skmer.evaluation import (
    EvaluationResult,
    evaluate,
    evaluate_dynamic_regression,
    evaluate_regression,
)
from skmer.evaluation.report.overview import Overview, headline_of
from skmer.evaluation.report.tables import pairs_table
from skmer.evaluation.report.words import methods_paragraph
from skmer.exceptions import InputError

QUADRANTS = ["Q1", "Q2", "Q3", "Q4"]


def make(n_groups, classes=QUADRANTS, *, seed=0, prefix="artist"):
    """Labels, artists, and a feature that shows the label."""
    rng = np.random.default_rng(seed)
    y = np.tile(classes, n_groups)
    groups = np.repeat([f"{prefix} {i}" for i in range(n_groups)], len(classes))
    feature = rng.normal(scale=0.4, size=(y.size, 4))
    feature += np.eye(5)[[int(label[-1]) - 1 for label in y]][:, :4]
    return feature, y, groups


def run(first, second, model=None, **options):
    (X, y, groups), (X_test, y_test, groups_test) = first, second
    models = {"nb": model or GaussianNB()}
    options = {"groups": groups, "groups_test": groups_test, "n_folds": 2, "n_repeats": 1} | options
    return evaluate({"mine": X}, models, None, y, X_test=X_test, y_test=y_test, **options)


def test_the_whole_of_one_dataset_is_fitted_and_the_whole_of_the_other_tested():
    first, second = make(6), make(4, seed=1, prefix="band")
    result = run(first, second, dataset="one", dataset_test="two")
    fitted = GaussianNB().fit(first[0], first[1])
    across = result.predictions.query("protocol == 'across'")
    assert across["y_pred"].tolist() == fitted.predict(second[0]).tolist()
    assert across["row"].tolist() == list(range(24, 40))
    assert set(across["dataset"]) == {"two"}
    assert across["group"].tolist() == second[2].tolist()
    row = result.scores.query("protocol == 'across'").iloc[0]
    assert (row["n_train"], row["n_test"]) == (24, 16)
    assert result.manifest["dataset_test"]["classes"] == dict.fromkeys(QUADRANTS, 4)
    assert result.manifest["protocols"]["across"]["groups_kept_apart"] is True


def test_within_is_what_it_is_without_the_other_dataset(tmp_path):
    first, second = make(12), make(11, seed=1, prefix="band")
    # Groups whose order as text is another than as numbers.
    numbers = np.repeat(np.arange(12), 4)
    model = GridSearchCV(GaussianNB(), {"var_smoothing": [0.01, 1]}, cv=2)
    pair = run((first[0], first[1], numbers), second, model)
    alone = evaluate(
        {"mine": first[0]}, {"nb": model}, None, first[1], groups=numbers, n_folds=2, n_repeats=1
    )
    columns = ["row", "y_true", "y_pred", *(f"proba_{name}" for name in QUADRANTS)]
    within = pair.predictions.query("protocol == 'grouped'").reset_index(drop=True)
    pd.testing.assert_frame_equal(within[columns], alone.predictions[columns])
    assert pair.manifest["audit"]["grouped"] == alone.manifest["audit"]["grouped"]
    saved = EvaluationResult.load(pair.save(tmp_path))
    pd.testing.assert_frame_equal(saved.predictions, pair.predictions)


def test_both_ways_is_the_pair_turned_round():
    first, second = make(6), make(5, seed=1, prefix="band")
    there, back = run(first, second, both_ways=True), run(second, first)
    assert list(there.manifest["protocols"]) == ["across", "grouped", "across_back", "grouped_back"]
    for one, other in (("across_back", "across"), ("grouped_back", "grouped")):
        mine, theirs = (
            result.predictions[result.predictions["protocol"] == name]
            for result, name in ((there, one), (back, other))
        )
        # Splits of equal size and seed.
        assert mine["y_true"].tolist() == theirs["y_true"].tolist()
        assert mine["y_pred"].tolist() == theirs["y_pred"].tolist()


def test_inner_folds_of_the_fit_keep_groups_apart():
    seen = []

    class Recorder(GaussianNB):
        __metadata_request__fit = {"groups": True}

        def fit(self, X, y, groups=None):
            seen.append((np.unique(groups), len(y)))
            return super().fit(X, y)

    first, second = make(6), make(4, seed=1, prefix="artist")
    # Although artists are in both: they are tested on, and not in the fit.
    result = run(first, second, Recorder())
    assert seen[0][1] == 24
    assert seen[0][0].size == 6
    assert result.manifest["across"]["shared_groups"] == [f"artist {i}" for i in range(4)]
    findings = result.manifest["audit"]["across"]["findings"]
    assert "shared_groups" in {found["kind"] for found in findings}
    assert result.manifest["protocols"]["across"]["groups_kept_apart"] is False


@pytest.mark.parametrize(
    ("groups_test", "shared"),
    [(["ARTIST  1", "x"], ["artist 1"]), ([1, 2], []), (["artist 10", "1"], [])],
)
def test_artists_are_one_by_their_name(groups_test, shared):
    second = make(2, seed=1)
    result = run(make(3), (*second[:2], np.repeat(np.array(groups_test), 4)))
    assert result.manifest["across"]["shared_groups"] == shared


def test_classes_are_matched_by_name_and_the_others_are_named():
    first = make(6, ["Q1", "Q2", "Q3"])
    feature, y, groups = make(5, ["Q5", "Q3", "Q1"], seed=1, prefix="band")
    message = r"only one has Q2 \(6 clips\); only two has q5 \(5 clips\)"
    with pytest.warns(UserWarning, match=message):
        result = run(first, (feature, np.char.lower(y), groups), dataset="one", dataset_test="two")
    assert result.manifest["across"]["alone"] == [["Q2"], ["q5"]]
    across = result.predictions.query("protocol == 'across'")
    assert across["y_true"].tolist() == ["Q3", "Q1"] * 5
    assert result.predictions["y_true"].unique().tolist() == ["Q3", "Q1"]
    with pytest.raises(InputError, match="at least two names in common"):
        run(first, (feature, np.char.add("not ", y), groups))


def test_quadrants_are_made_of_arousal_and_valence():
    first = make(6)
    feature, y, groups = make(4, seed=1, prefix="band")
    high = {"Q1": (8, 7), "Q2": (6, 2), "Q3": (5, 5), "Q4": (1, 9)}
    numbers = pd.DataFrame([high[label] for label in y], columns=["arousal", "valence"])
    result = run(first, (feature, numbers, groups), scales=(None, (1, 9)))
    across = result.predictions.query("protocol == 'across'")
    assert across["y_true"].tolist() == y.tolist()
    assert "above 5, the middle of 1 to 9" in result.manifest["across"]["rules"][0]
    turned = run((feature, numbers, groups), first, scales=((1, 9), None))
    assert turned.task.name == "classification"
    with pytest.raises(InputError, match=r"scales=\(None, \(1, 9\)\)"):
        run(first, (feature, numbers, groups))
    with pytest.raises(InputError, match="must lie on the scale"):
        run(first, (feature, numbers, groups), scales=(None, (-1, 1)))


def numbers(n_groups, low, high, *, seed=0):
    rng = np.random.default_rng(seed)
    X, groups = rng.normal(size=(4 * n_groups, 3)), np.repeat(np.arange(n_groups), 4)
    share = 1 / (1 + np.exp(-X[:, :2]))
    y = pd.DataFrame(low + share * (high - low), columns=["arousal", "valence"])
    return X, y, groups


def test_numbers_are_moved_to_the_scale_of_the_first_dataset():
    X, y, groups = numbers(8, 1, 9)
    X_test, y_test, groups_test = numbers(6, -1, 1, seed=1)
    options = {"X_test": {"mine": X_test}, "groups": groups, "groups_test": groups_test}
    scales = (1, 9), AffectScale("dynamic", -1, 1)
    more = y_test.assign(dominance=X_test[:, 2])
    with pytest.warns(UserWarning, match="only X_test has dominance"):
        result = evaluate_regression(
            {"mine": X}, {"ridge": Ridge()}, None, y, y_test=more, scales=scales, n_folds=3,
            **options,
        )  # fmt: skip
    across = result.predictions.query("protocol == 'across' and target == 'valence'")
    np.testing.assert_allclose(across["y_true"], 4 * y_test["valence"] + 5)
    summary = result.summary().query("protocol == 'across'").set_index("target")
    assert (summary["r2"] > 0.8).all()
    assert result.manifest["across"]["alone"] == [[], ["dominance"]]
    with pytest.raises(InputError, match="of one unit in y and y_test"):
        evaluate_regression({"mine": X}, ["ridge"], None, y, y_test=y_test, **options)
    # One unit needs no scale, and the manifest has that none was stated.
    _, other, _ = numbers(6, 1, 9, seed=1)
    same = evaluate_regression(
        {"mine": X}, {"ridge": Ridge()}, None, y, y_test=other, n_folds=3, **options
    )
    assert same.manifest["across"]["rules"][0].startswith("No scales were given")


def test_curves_of_two_lengths():
    rng = np.random.default_rng(0)
    curves = [rng.normal(size=(n, t, 2)) for n, t in ((6, 4), (5, 7))]
    y, y_test = (
        {"arousal": pd.DataFrame(one[..., 0], columns=np.arange(one.shape[1]) / 2)}
        for one in curves
    )
    y_test["arousal"].iloc[0, 5:] = np.nan
    result = evaluate_dynamic_regression(
        {"mine": curves[0]}, {"ridge": Ridge(1e-6)}, None, y, X_test=curves[1], y_test=y_test,
        protocol="shuffled", n_folds=3,
    )  # fmt: skip
    across = result.predictions.query("protocol == 'across'")
    assert len(across) == 5 * 7 - 2
    np.testing.assert_allclose(across["y_pred"], across["y_true"], atol=1e-3)
    assert across["row"].unique().tolist() == [6, 7, 8, 9, 10]


def test_tags_are_matched_by_name():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = [{name for name, x in zip(("dark", "epic", "film"), row) if x > 0} for row in X[:50]]
    y_test = pd.DataFrame(1 * (X[50:] > 0), columns=["Film", "old", "dark"])
    y_test["dark"], y_test["Film"] = 1 * (X[50:, 0] > 0), 1 * (X[50:, 2] > 0)
    with pytest.warns(UserWarning, match="only X has epic; only X_test has old"):
        result = evaluate(
            {"mine": X[:50]}, {"lr": LogisticRegression()}, None, y, protocol="shuffled",
            X_test=X[50:], y_test=y_test,
        )  # fmt: skip
    assert list(result.manifest["dataset"]["tags"]) == ["dark", "film"]
    across = result.summary().set_index("protocol").loc["across"]
    assert across["average_precision"] > 0.9


def test_names_of_other_forms_are_the_same():
    first = make(6, ["Q1", "Q2"])
    feature, y, groups = make(4, ["Q1", "Q2"], seed=1, prefix="band")
    # Letters with marks in two Unicode forms, and Roman letters of full width.
    first = (first[0], np.where(first[1] == "Q1", "W\u00fctend", "Q2"), first[2])
    y = np.where(y == "Q1", "wu\u0308tend", "\uff31\uff12")
    result = run(first, (feature, y, groups))
    assert result.manifest["across"]["alone"] == [[], []]
    assert set(result.predictions["y_true"]) == {"W\u00fctend", "Q2"}
    X, forms = feature[:, :2], ["gr\u00fcn", "gru\u0308n"]
    tags = [
        {name for name, x in zip((forms[i % 2], "rot"), row) if x > 0.2} for i, row in enumerate(X)
    ]
    result = evaluate(
        {"mine": X}, {"lr": LogisticRegression()}, None, tags, protocol="shuffled", n_folds=2,
        audit=False,
    )  # fmt: skip
    assert list(result.manifest["dataset"]["tags"]) == ["gr\u00fcn", "rot"]


def test_columns_of_features_go_by_their_names():
    (X, y, groups), second = make(6), make(4, seed=1, prefix="band")
    columns = ["a", "b", "c", "d"]
    X_test = pd.DataFrame(second[0], columns=columns)
    first = (pd.DataFrame(X, columns=columns), y, groups)
    right = run(first, (X_test, *second[1:])).summary()["accuracy"].tolist()
    assert run(first, (X_test[columns[::-1]], *second[1:])).summary()["accuracy"].tolist() == right
    with pytest.raises(InputError, match=r"'mine'.*same columns. Got a, b, c, d and a, b, c, e"):
        run(first, (X_test.rename(columns={"d": "e"}), *second[1:]))


def load(fetch, shared, **options):
    return fetch(
        annotations_only=True, data_home=shared / "data", download_if_missing=False, **options
    )


def test_the_curves_of_pmemo_in_ten_folds_of_artists(shared):
    songs = load(fetch_pmemo, shared, target="dynamic")
    curves = {axis: songs.dynamic[axis] for axis in ("arousal", "valence")}
    rng = np.random.default_rng(0)
    feature = np.stack([np.nan_to_num(curve.to_numpy()) for curve in curves.values()], axis=2)
    # A feature that has what is to be learnt, and as much noise as its spread over the songs.
    feature += rng.normal(scale=0.13, size=feature.shape)
    result = evaluate_dynamic_regression(
        {"made": feature}, {"ridge": Ridge()}, None, curves, groups=songs.groups, audit=False
    )
    predictions = result.predictions
    assert len(predictions) == 2 * 36434
    assert len(predictions.drop_duplicates(["target", "row", "time"])) == len(predictions)
    assert predictions["time"].min() == 15.5
    protocol = result.manifest["protocols"]["grouped"]
    assert protocol["groups_kept_apart"] is True
    assert len(protocol["splits"]) == 10
    assert predictions.groupby("group")["fold"].nunique().max() == 1
    assert predictions["group"].nunique() == 395
    scores = result.summary().set_index("target")
    assert scores["r2"].between(0.4, 0.7).all()
    assert scores["ccc"].between(0.6, 0.85).all()
    arousal = predictions[predictions["target"] == "arousal"]
    assert scores.loc["arousal", "r2"] == r2_score(arousal["y_true"], arousal["y_pred"])


def test_emomusic_to_pmemo_and_back(shared):
    pair = [load(fetch, shared, target="dynamic") for fetch in (fetch_emomusic, fetch_pmemo)]
    rng = np.random.default_rng(0)
    # What is heard alike in both, whatever the scale of the annotations.
    spots = [(one.target - one.scale.low) / (one.scale.high - one.scale.low) for one in pair]
    features = [spot + rng.normal(scale=0.1, size=spot.shape) for spot in spots]
    first, second = pair
    options = {
        "groups": first.groups, "X_test": features[1], "groups_test": second.groups,
        "dataset": "emomusic", "dataset_test": "pmemo", "both_ways": True, "n_repeats": 1,
    }  # fmt: skip
    numbers = evaluate_regression(
        {"made": features[0]}, {"ridge": Ridge()}, None, first.target, y_test=second.target,
        scales=(first.scale, second.scale), **options,
    )  # fmt: skip
    counts = numbers.scores.groupby("protocol", sort=False)[["n_train", "n_test"]].first()
    assert counts.loc["across"].tolist() == [744, 767]
    assert counts.loc["across_back"].tolist() == [767, 744]
    scores = numbers.summary().set_index(["protocol", "target"])["r2"]
    assert scores.between(0.2, 0.9).all()
    # Both on the scale of Emotion in Music, from -1 to 1.
    across = numbers.predictions.query("protocol == 'across' and target == 'arousal'")
    np.testing.assert_allclose(across["y_true"], 2 * second.target[:, 0] - 1)
    quadrants = [fetch.frame["label"].to_numpy(dtype=str) for fetch in pair]
    classes = evaluate(
        {"made": features[0]}, {"nb": GaussianNB()}, None, quadrants[0],
        y_test=pd.DataFrame(second.target, columns=["arousal", "valence"]),
        scales=(None, second.scale), audit=False, **options,
    )  # fmt: skip
    assert classes.manifest["dataset_test"]["classes"] == {
        "Q1": 520, "Q2": 72, "Q3": 115, "Q4": 60,
    }  # fmt: skip
    accuracy = classes.summary().set_index("protocol")["accuracy"]
    assert (accuracy > 0.5).all()


@pytest.fixture
def songs(tmp_path):
    """Two folders of clips, with three recordings in both; one of them in another format."""
    rng = np.random.default_rng(0)
    paths = []
    for folder, n_clips in (("one", 8), ("two", 6)):
        (tmp_path / folder).mkdir()
        for i in range(n_clips):
            paths.append(tmp_path / folder / f"{i}.wav")
            soundfile.write(paths[-1], rng.normal(scale=0.1, size=4000), 8000, "PCM_16")
    paths[8].write_bytes(paths[0].read_bytes())
    audio, sr = soundfile.read(paths[1], dtype="int16")
    paths[9] = paths[9].with_suffix(".flac")
    soundfile.write(paths[9], audio, sr)
    return [str(path) for path in [*paths[:8], paths[2], *paths[8:]]]


@pytest.mark.parametrize("turned", [False, True])
def test_clips_in_both_are_left_out_of_the_larger_dataset(songs, turned):
    pair = [songs[:8], songs[8:]]
    labels = [
        np.array(["calm", "sad"] * 4),
        np.array(["calm", "calm", "sad", "sad", "sad", "calm", "sad"]),
    ]
    if turned:
        pair, labels = pair[::-1], labels[::-1]
    result = evaluate(
        {"mfcc": MFCCStatsTransformer(target_sr=8000)}, {"nb": GaussianNB()}, pair[0], labels[0],
        X_test=pair[1], y_test=labels[1], protocol=KFold(2),
        n_repeats=2,
    )  # fmt: skip
    row = result.scores.query("protocol == 'across'").iloc[0]
    assert (row["n_train"], row["n_test"]) == ((7, 5) if turned else (5, 7))
    assert result.manifest["across"]["left_out"] == ([0, 3] if turned else [3, 0])
    found = [found["kind"] for found in result.manifest["audit"]["across"]["findings"]]
    assert "item_in_two_datasets" in found


def test_nothing_is_left_where_all_is_shared(songs):
    labels = np.array(["calm", "sad"] * 4)
    with pytest.raises(InputError, match="Every clip of a dataset is in the other one"):
        evaluate(
            {"mfcc": MFCCStatsTransformer(target_sr=8000)}, {"nb": GaussianNB()}, songs[:8], labels,
            X_test=songs[:8], y_test=labels, protocol=KFold(2),
        )  # fmt: skip


def test_songs_of_one_code_are_shared_where_datasets_are_related():
    feature, y, _ = make(4)
    names = [f"/nowhere/{i:03}.mp3" for i in range(16)]
    others = [f"/elsewhere/{i:03} - Artist.mp3" for i in range(12, 16)]
    X = np.concatenate([feature, feature[:4]])
    options = {"X_test": others, "y_test": y[:4], "protocol": KFold(2)}
    counts = []
    for pair in (("merge", "4q"), ("4q", "bimodal"), ("4q", "deam")):
        result = evaluate(
            {"mine": X}, {"nb": GaussianNB()}, names, y, dataset=pair[0], dataset_test=pair[1],
            **options,
        )  # fmt: skip
        counts.append(result.manifest["across"]["left_out"])
    assert counts == [[4, 0], [4, 0], [0, 0]]


def test_a_pair_that_is_incomplete_is_an_error():
    X, y, groups = make(4)
    with pytest.raises(InputError, match="X_test and groups_test need y_test"):
        evaluate({"mine": X}, {"nb": GaussianNB()}, None, y, groups=groups, X_test=X)
    with pytest.raises(InputError, match="as many columns in X_test"):
        run((X, y, groups), (X[:, :2], y, groups))
    with pytest.raises(InputError, match="array for each of the features"):
        run((X, y, groups), ({"other": X}, y, groups))
    with pytest.raises(InputError, match="ends of the two scales"):
        run((X, y, groups), (X, y, groups), scales=(1, 9))
    with pytest.raises(InputError, match="There are 15 groups and 16 labels") as caught:
        run((X, y, groups), (X, y, groups[1:]))
    assert "groups_test" in caught.value.__notes__[0]
    with pytest.raises(InputError, match="the clips of both datasets"):
        evaluate(
            {"mine": X}, {"nb": GaussianNB()}, ["a"] * 16, y, groups=groups, X_test=X, y_test=y
        )


def test_the_report_sets_within_beside_across(tmp_path):
    first, second = make(6), make(4, seed=1, prefix="band")
    second = (*second[:2], np.where(second[2] == "band 0", "Artist 3", second[2]))
    result = run(first, second, dataset="one", dataset_test="two", both_ways=True)
    headline = headline_of(result)
    assert headline.startswith(
        "Fitted on one, tested on two: The best, mine + NB, names the emotion"
    )
    assert "; guessing gives 25; within one it has " in headline
    assert "Fitted on two, tested on one: the best, mine + NB has " in headline
    page = result.report(tmp_path / "report.html").read_text("utf-8")
    assert (
        "1 of the 4 groups (singers, artists) of the tested dataset are in the fitted one" in page
    )
    assert "two: 16 clips of 4 groups" in page.replace("\n", "")
    assert "fitted on one and tested on two, and fitted on two and tested on one" in page
    header, row = (line.split(" & ") for line in result.to_latex().splitlines()[4:7:2])
    assert header[3:6] == ["Within one", "From two to one", "Within two"]
    table = result.intervals().set_index("protocol")["accuracy"]
    names = ["across", "grouped", "across_back", "grouped_back"]
    assert [float(cell[:4]) for cell in row[2:6]] == table[names].round(2).tolist()


def test_within_a_dataset_without_groups_clips_are_split_at_random():
    feature, y, _ = make(10, seed=1)
    result = run(make(6), (feature, y, None), both_ways=True)
    assert list(result.manifest["protocols"])[-1] == "shuffled_back"
    assert "X_test has no groups" in result.manifest["across"]["rules"][0]
    assert "n_groups" not in result.manifest["dataset_test"]
    assert "Fitted on X, tested on X_test: The best" in headline_of(result)


@pytest.mark.parametrize("has_groups", [(True, False), (False, True)])
def test_the_unit_is_that_of_the_tested_dataset(has_groups):
    first, second = make(6), make(4, seed=1, prefix="band")
    pair = [(*one[:2], one[2] if has else None) for one, has in zip((first, second), has_groups)]
    features = {"mine": pair[0][0], "half": pair[0][0][:, :1]}
    tested = {"mine": pair[1][0], "half": pair[1][0][:, :1]}
    result = evaluate(
        features, {"nb": GaussianNB()}, None, pair[0][1], groups=pair[0][2], X_test=tested,
        y_test=pair[1][1], groups_test=pair[1][2], protocol="shuffled", n_folds=2, audit=False,
    )  # fmt: skip
    seen = Overview(result)
    over = "over 4 groups (" if has_groups[1] else "over 16 clips ("
    assert over in headline_of(result)
    unit = "groups" if has_groups[1] else "clips"
    methods = methods_paragraph(seen)
    assert f"of a bootstrap over {unit}. " in methods
    assert f"exchanges of whole {unit} between" in methods
    assert pairs_table(seen, "feature").columns[3] == unit.capitalize()


def test_one_group_has_no_exchanges():
    X, y, groups = make(6)
    result = evaluate(
        {"mine": X, "half": X[:, :1]}, {"nb": GaussianNB()}, None, y, groups=groups,
        X_test={"mine": X, "half": X[:, :1]}, y_test=y, groups_test=["ann"] * len(y), audit=False,
    )  # fmt: skip
    methods = methods_paragraph(Overview(result))
    assert "exchanges" not in methods
    assert " of 1 group)" in methods


def test_a_model_is_fitted_to_the_first_dataset_alone():
    first, second = make(6), make(4, seed=1, prefix="band")
    fitted = run(first, second).fit(feature="mine", classifier="nb")
    np.testing.assert_allclose(fitted[-1].theta_, GaussianNB().fit(*first[:2]).theta_)

"""Tags: scores equal scikit-learn's, laws of scores, thresholds, folds, and the known baseline."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, GroupKFold

from skmer.classifiers import TagClassifier, make_classifier
from skmer.evaluation import (
    IterativeStratifiedGroupKFold,
    TagImportanceDisplay,
    TagsResult,
    audit,
    evaluate,
)
from skmer.evaluation.report.overview import headline_of
from skmer.evaluation.statistics.paired import compare_predictions
from skmer.evaluation.statistics.tags import (
    average_precisions,
    compare_tags,
    join_tags,
    matrices_of,
    nan_mean,
    resample_tags,
    score_tags,
    weighted_average_precision,
)
from skmer.evaluation.tags import TAGS
from skmer.evaluation.tasks import find_task
from skmer.exceptions import InputError, InputTypeError

NAMES = ["calm", "dark", "epic", "film"]


def table(truth, proba, called=None, names=NAMES):
    """Predictions of one test set."""
    called = proba >= 0.5 if called is None else called
    columns = {f"proba_{name}": proba[:, i] for i, name in enumerate(names)}
    truth, called = (join_tags(one, names) for one in (truth, called))
    return {"y_true": truth, "y_pred": called, **columns}


@st.composite
def predictions(draw):
    n_clips = draw(st.integers(1, 20))
    bits = st.lists(st.integers(0, 1), min_size=4 * n_clips, max_size=4 * n_clips)
    # Few different values, so that there are ties.
    values = st.lists(st.integers(0, 8), min_size=4 * n_clips, max_size=4 * n_clips)
    truth = np.array(draw(bits)).reshape(n_clips, 4)
    return truth, np.array(draw(values)).reshape(n_clips, 4) / 8


@given(predictions())
@settings(max_examples=30)
def test_scores_are_those_of_scikit_learn(drawn):
    truth, proba = drawn
    scores = score_tags(table(truth, proba))
    for tag in range(4):
        if truth[:, tag].all() or not truth[:, tag].any():
            assert all(np.isnan(values[tag]) for values in scores.values())
            continue
        pair = truth[:, tag], proba[:, tag]
        assert scores["average_precision"][tag] == average_precision_score(*pair)
        assert scores["roc_auc"][tag] == roc_auc_score(*pair)
        assert scores["share"][tag] == truth[:, tag].mean()
    scored = ~np.isnan(scores["share"])
    clips = np.arange(len(truth))
    if not scored.any():
        with pytest.raises(InputError, match="No tag is both on some and not on others"):
            TAGS.score(table(truth, proba), clips)
        return
    means = TAGS.score(table(truth, proba), clips)
    for name in ("average_precision", "roc_auc", "f1"):
        assert means[name] == pytest.approx(scores[name][scored].mean())
    tagged = truth.any(axis=1)
    assert means["lrap"] == label_ranking_average_precision_score(truth[tagged], proba[tagged])


@given(predictions(), st.permutations(range(4)))
@settings(max_examples=30)
def test_a_permutation_of_tags_permutes_scores(drawn, order):
    truth, proba = drawn
    before = score_tags(table(truth, proba))
    names = [NAMES[i] for i in order]
    after = score_tags(table(truth[:, order], proba[:, order], names=names))
    for name, values in before.items():
        assert np.array_equal(values[order], after[name], equal_nan=True)


@given(predictions(), st.floats(0.2, 5), st.floats(0, 3))
@settings(max_examples=30)
def test_a_monotone_change_of_probabilities_changes_nothing_but_f1(drawn, power, shift):
    truth, proba = drawn
    changed = (proba + shift) ** power
    before, after = score_tags(table(truth, proba)), score_tags(table(truth, changed))
    for name in ("average_precision", "roc_auc", "share"):
        assert np.allclose(before[name], after[name], equal_nan=True)


@given(predictions(), st.data())
@settings(max_examples=30)
def test_a_draw_of_groups_is_scored_as_scikit_learn_scores_weights(drawn, data):
    truth, proba = drawn
    n_clips = len(truth)
    codes = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n_clips, max_size=n_clips)))
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=5, max_size=5)))
    weights = times[codes]
    found = weighted_average_precision(truth[:, 0], proba[:, 0], codes, times[None].astype(float))
    drawn_truth = truth[weights > 0, 0]
    if not drawn_truth.any() or drawn_truth.all():
        assert np.isnan(found[0])
    else:
        pair = truth[:, 0], proba[:, 0]
        expected = average_precision_score(*pair, sample_weight=weights)
        assert found[0] == pytest.approx(expected)


def test_tags_of_clips_are_text_in_predictions():
    truth = np.array([[0, 0, 0, 0], [1, 0, 1, 0]])
    assert join_tags(truth, NAMES) == ["", "calm;epic"]
    found, called, _ = matrices_of(table(truth, truth / 2))
    assert np.array_equal(found, truth)
    assert np.array_equal(called, truth)


N_CLIPS, N_GROUPS = 240, 24
GROUPS = np.repeat([f"artist {i:02d}" for i in range(N_GROUPS)], N_CLIPS // N_GROUPS)


@pytest.fixture(scope="module")
def data():
    """Features of which each tag is a noisy step, and the tags."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_CLIPS, 6))
    return X, (X[:, :4] + 0.4 * rng.normal(size=(N_CLIPS, 4)) > [0.3, 0.6, 0.9, 1.2]).astype(int)


@pytest.fixture(scope="module")
def result(data):
    X, y = data
    noise = np.random.default_rng(1).normal(size=X.shape)
    return evaluate(
        {"good": X, "noise": noise}, ["nb", "svm"], None, y, target_names=NAMES, groups=GROUPS,
        n_folds=4,
    )  # fmt: skip


def test_good_features_find_tags_and_noise_does_not(result):
    assert isinstance(result, TagsResult)
    summary = result.summary().set_index(["feature", "classifier"])
    assert (summary.loc["good", "average_precision"] > 0.75).all()
    assert (summary.loc["good", "roc_auc"] > 0.85).all()
    assert (summary.loc["good", "f1"] > 0.55).all()
    guess = result.task.guess({}, "average_precision", result.predictions)
    assert guess == pytest.approx(0.2, abs=0.1)
    assert (summary.loc["noise", "average_precision"] < guess + 0.1).all()
    assert (abs(summary.loc["noise", "roc_auc"] - 0.5) < 0.1).all()


def test_predictions_have_a_probability_for_each_tag(result, data):
    rows = result.predictions.query("feature == 'good' and classifier == 'nb'")
    assert sorted(rows["row"]) == list(range(N_CLIPS))
    assert [name for name in rows if name.startswith("proba_")] == [f"proba_{n}" for n in NAMES]
    truth, _, proba = matrices_of(rows.sort_values("row"))
    assert np.array_equal(truth, data[1])
    assert ((proba >= 0) & (proba <= 1)).all()
    assert rows.groupby("group")["fold"].nunique().max() == 1


def test_scores_of_tags_agree_with_the_summary(result):
    tags = result.tag_scores(feature="good", classifier="svm", n_resamples=200)
    summary = result.summary().query("feature == 'good' and classifier == 'svm'").iloc[0]
    assert set(tags["tag"]) == set(NAMES)
    for name in ("average_precision", "roc_auc", "f1"):
        assert tags[name].mean() == pytest.approx(summary[name])
    assert ((tags["low"] < tags["average_precision"]) & (tags["average_precision"] < 1)).all()
    assert tags["average_precision"].is_monotonic_decreasing
    interval = result.intervals(n_resamples=200).query("feature == 'good' and classifier == 'svm'")
    assert interval["average_precision"].item() == pytest.approx(summary["average_precision"])
    assert interval["low"].item() < summary["average_precision"] < interval["high"].item()


def test_intervals_of_groups_are_wider_than_those_of_clips():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(10), 30)
    truth = rng.random((300, 4)) < 0.3
    # Artists whose clips are all found, and artists of whom none is.
    proba = np.where((codes % 2)[:, None], truth, rng.random((300, 4)))
    rows = pd.DataFrame({"repeat": 0, "fold": 0, "row": range(300), "group": codes})
    rows = rows.assign(**table(truth, proba))
    options = {"n_resamples": 500, "random_state": 0}
    spreads = [
        nan_mean(nan_mean(resample_tags(part, **options)[:, :, 1:], 1), 0).std()
        for part in (rows, rows.drop(columns="group"))
    ]
    assert spreads[0] > 1.5 * spreads[1]


def test_a_result_is_saved_and_read(result, tmp_path):
    loaded = TagsResult.load(result.save(tmp_path))
    pd.testing.assert_frame_equal(loaded.predictions, result.predictions)
    assert loaded.task is TAGS
    tags = [
        one.tag_scores(feature="good", classifier="nb", n_resamples=50) for one in (loaded, result)
    ]
    pd.testing.assert_frame_equal(*tags)


def test_one_pipeline_for_all_tags(result, data):
    X, y = data
    model = result.fit(feature="good", classifier="nb")
    assert model[-1].target_names_ == NAMES
    assert (model.predict(X) == y).mean() > 0.85


def test_tags_are_found_in_every_form_of_y(data):
    X, y = data
    run = {"groups": GROUPS, "n_folds": 3, "audit": False}
    lists = [[NAMES[i] for i in np.flatnonzero(row)] for row in y]
    forms = [
        (y, NAMES),
        (pd.DataFrame(y, columns=NAMES), None),
        (lists, None),
        ([set(tags) for tags in lists], None),
        (pd.Series(lists), NAMES),
        # As the cells of a Parquet table, and columns by their names.
        (pd.Series(map(np.array, lists)), None),
        (pd.DataFrame(y, columns=NAMES)[NAMES[::-1]], NAMES),
    ]
    results = [
        evaluate({"a": X}, {"nb": RandomForestClassifier(5)}, None, form, target_names=names, **run)
        for form, names in forms
    ]
    for one in results[1:]:
        assert one.predictions.equals(results[0].predictions)
    assert results[0].manifest["dataset"]["tags"] == dict(zip(NAMES, y.sum(axis=0)))
    with pytest.raises(InputError, match=r"'target_names' .* the names of the columns of y, or"):
        evaluate({"a": X}, ["nb"], None, forms[1][0], target_names=[*NAMES[:3], "other"], **run)
    tagger = TagClassifier(LogisticRegression(), target_names=NAMES, random_state=0)
    pair = [clone(tagger).fit(X, form) for form in (y, forms[-1][0])]
    assert np.array_equal(*[one.predict(X) for one in pair])


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.eye(3, dtype=int), "tags"),
        (np.eye(3), "tags"),
        ([["a"], [], ["a", "b"]], "tags"),
        ([{"a"}, {"b"}], "tags"),
        (pd.DataFrame({"a": [0, 1], "b": [1, 1]}), "tags"),
        (pd.DataFrame({"arousal": [0.5, 1], "valence": [1, 2.5]}), "regression"),
        ([[0.1, 0.2], [0.3, 0.4]], "regression"),
        (["a", "b"], "classification"),
        ([0, 1], "classification"),
    ],
)
def test_the_task_follows_from_the_target(y, task):
    assert find_task(None, y).name == task


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_names": NAMES[:3]}, "'target_names' parameter must name the 4 columns"),
        ({"target_names": ["a", "a", "b", "c"]}, "names of the tags must differ"),
        ({"target_names": ["a;b", "c", "d", "e"]}, "no semicolon. Got a;b"),
        ({"y": [["calm"], ["grim"]] * 120, "target_names": NAMES}, "among 'target_names'. Got gri"),
        ({"y": np.full((N_CLIPS, 4), 2), "task": "tags"}, "table of 0 and 1"),
        ({"y": np.tile(["a", "b"], 120)}, "'target_names' parameter is for tags"),
        ({"protocol": "koh2021"}, "'grouped' or 'shuffled'"),
        ({"split": ["train"] * 5, "protocol": "published"}, "5 parts in 'split'"),
        ({"protocol": "published"}, "Got 'published'"),
    ],
)
def test_what_are_no_tags_is_one_plain_sentence(data, changes, message):
    X, y = data
    arguments = {"y": y, "target_names": NAMES, "groups": GROUPS}
    with pytest.raises(InputError, match=message):
        evaluate({"a": X}, ["nb"], None, **arguments | changes)


def test_a_model_that_ranks_nothing_is_refused(data):
    class Silent(DummyClassifier):
        predict_proba = property()

    X, y = data
    with pytest.raises(InputTypeError, match="'silent' of the 'classifiers'"):
        evaluate({"a": X}, {"silent": Silent()}, None, y, groups=GROUPS)


def test_a_tag_that_cannot_be_scored_is_named_and_left_out(data):
    X, y = data
    y = np.column_stack([y, np.zeros(N_CLIPS), GROUPS[0] == GROUPS]).astype(int)
    names = [*NAMES, "never", "one artist"]
    with pytest.warns(UserWarning, match=r"2 tags .*\(grouped\).*never, one artist"):
        result = evaluate({"a": X}, ["nb"], None, y, target_names=names, groups=GROUPS, n_folds=4)
    assert result.manifest["unscored"] == {"grouped": {"never": 4, "one artist": 3}}
    assert np.isfinite(result.summary()["average_precision"]).all()
    tags = result.tag_scores(feature="a", classifier="nb", n_resamples=50).set_index("tag")
    assert tags.loc["never", "n_splits"] == 0
    assert np.isnan(
        tags.loc["never", ["average_precision", "low", "roc_auc", "f1"]].astype(float)
    ).all()
    assert tags.loc["one artist", "n_splits"] == 1


def test_thresholds_come_from_the_training_part_by_group(data):
    X, y = data
    seen = []

    class Spy(RandomForestClassifier):
        def fit(self, X, y):
            seen.append(X[:, -1])
            return super().fit(X, y)

    marked = np.column_stack([X, np.unique(GROUPS, return_inverse=True)[1]])
    evaluate({"a": marked}, {"spy": Spy(3)}, None, y, groups=GROUPS, n_folds=3, audit=False)
    assert len(seen) == 6
    for part, whole in zip(seen[::2], seen[1::2]):
        left_out = set(whole) - set(part)
        assert len(part) < len(whole) < N_CLIPS
        assert not left_out & set(part)


def test_a_search_of_ones_own_keeps_groups_apart(data):
    X, y = data
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=3)
    run = {"groups": GROUPS, "n_folds": 3, "audit": False}
    result = evaluate({"a": X}, {"search": search, "ridge": RidgeClassifier()}, None, y, **run)
    assert (result.summary()["average_precision"] > 0.7).all()
    assert isinstance(result.experiment.models["search"], TagClassifier)
    # Two of the four groups in a training set are held out for the thresholds.
    few = {"groups": np.arange(N_CLIPS) % 6, "n_folds": 3, "audit": False}
    assert len(evaluate({"a": X}, {"search": search}, None, y, **few).scores) == 3


def test_a_constant_first_tag_leaves_the_others_their_decision_values(data):
    X, y = data[:2]
    part = np.column_stack([np.zeros(len(y), int), y[:, 1:]])
    tagger = TagClassifier(make_classifier("svm", tags=True), random_state=0).fit(X, part)
    proba = tagger.predict_proba(X)
    assert not proba[:, 0].any() or np.ptp(proba[:, 0]) == 0
    assert roc_auc_score(y[:, 1], proba[:, 1]) > 0.7


def test_folds_keep_groups_apart_and_spread_tags():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, 600)
    taste = rng.random((60, 8)) ** 4
    y = (rng.random((600, 8)) < taste[groups]).astype(int)
    cv = IterativeStratifiedGroupKFold(5, n_repeats=2, random_state=0)
    splits = list(cv.split(y, y, groups))
    assert len(splits) == cv.get_n_splits() == 10
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert sorted([*train, *test]) == list(range(600))
    tested = np.concatenate([test for _, test in splits[:5]])
    assert sorted(tested) == list(range(600))
    plain = [
        test
        for seed in (0, 1)
        for _, test in GroupKFold(5, shuffle=True, random_state=seed).split(y, y, groups)
    ]
    spread, unspread = (
        np.abs([y[test].sum(axis=0) / y.sum(axis=0) - 0.2 for test in tests]).mean()
        for tests in ([test for _, test in splits], plain)
    )
    assert spread < 0.7 * unspread
    assert np.abs([len(test) - 120 for _, test in splits]).max() < 30
    with pytest.raises(InputError, match="5 folds from 3 groups"):
        next(cv.split(y, y, groups % 3))


def popularity(target, groups, split, names=None):
    """Evaluate guessing by the share of each tag, which takes no audio."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return evaluate(
            {"none": np.zeros((len(target), 1))}, {"popularity": DummyClassifier()}, None, target,
            target_names=names, groups=groups, split=split, protocol="published",
        )  # fmt: skip


@pytest.mark.parametrize(("split", "expected"), [(0, 0.03192), (1, 0.03191)])
def test_the_popularity_baseline_is_the_published_one(shared, split, expected):
    from skmer.datasets import fetch_mtg_jamendo_moodtheme

    if not (shared / "data" / "mtg_jamendo").is_dir():
        pytest.skip("needs the shared development data beside the checkout")
    tracks = fetch_mtg_jamendo_moodtheme(
        split, annotations_only=True, data_home=shared / "data", download_if_missing=False
    )
    result = popularity(tracks.target, tracks.groups, tracks.split, tracks.target_names)
    scores = result.summary().iloc[0]
    assert scores["average_precision"] == pytest.approx(expected, abs=5e-6)
    assert scores["roc_auc"] == 0.5
    guess = result.task.guess({}, "average_precision", result.predictions)
    assert guess == pytest.approx(scores["average_precision"])
    assert result.manifest["protocols"]["published"]["groups_kept_apart"]


def test_guessing_by_shares_scores_the_share_in_the_test_part():
    rng = np.random.default_rng(0)
    y = (rng.random((400, 6)) < [0.3, 0.2, 0.1, 0.1, 0.05, 0.05]).astype(int)
    split = np.repeat(["train", "valid", "test"], [240, 60, 100])
    scores = popularity(y, np.arange(400) // 5, split).summary().iloc[0]
    assert scores["average_precision"] == pytest.approx(y[300:].mean())
    assert scores["roc_auc"] == 0.5


def test_what_explains_and_audits_takes_tags_or_says_that_it_does_not(data):
    X, y = data
    with pytest.raises(InputError, match="labels y must be one for each clip"):
        TagImportanceDisplay.from_estimator(LogisticRegression(), X, y, tags=list("abcdef"))
    copied = np.vstack([X, X[:1]])
    report = audit(
        copied,
        np.vstack([y, y[:1]]),
        groups=[*GROUPS, GROUPS[-1]],
        cv=[(np.arange(N_CLIPS), [N_CLIPS])],
    )
    assert "near_duplicates" in {finding.kind for finding in report.findings}


@given(predictions())
@settings(max_examples=30)
def test_average_precisions_of_many_rankings_are_those_of_scikit_learn(drawn):
    truth, proba = drawn
    scores = np.stack([proba[:, 1], proba[:, 0], -proba[:, 1]])
    if truth[:, 0].any():
        expected = [average_precision_score(truth[:, 0], one) for one in scores]
        np.testing.assert_allclose(average_precisions(truth[:, 0], scores), expected, rtol=1e-12)


def compared(scale=(1, 1), n_groups=8, seed=0, gain=1.0):
    """Predictions of two features by one model for tags of several groups, in two splits."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (5 * n_groups, 4))
    frames = []
    for name, by, extra in (("a", scale[0], gain), ("b", scale[1], 0.0)):
        latent = np.random.default_rng(seed + 1).normal(size=truth.shape) + extra * truth
        if name == "b":
            latent = latent + 1e-9 * np.random.default_rng(seed + 2).normal(size=truth.shape)
        frame = pd.DataFrame(table(truth, 1 / (1 + np.exp(-by * latent))))
        frame["feature"], frame["classifier"], frame["protocol"] = name, "svm", "grouped"
        frame["group"], frame["row"] = np.repeat(np.arange(n_groups), 5), np.arange(len(truth))
        frame["repeat"], frame["fold"] = 0, frame["group"] % 2
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def compare(rows):
    options = {"keys": ["feature"], "over": ["classifier"], "random_state": 0}
    return compare_predictions(rows, compare_tags, **options).iloc[0]


def test_features_are_compared_by_exchanges_of_groups():
    better = compare(compared())
    assert better["difference"] > 0.05
    assert better["low"] > 0
    assert better["n_groups"] == 8
    # All exchanges of eight groups; none exchanged, and all, give the difference itself.
    assert better["pvalue"] == 2 / 2**8
    same = compare(compared(gain=0))
    assert same["difference"] == pytest.approx(0, abs=1e-6)
    assert same["low"] <= 0 <= same["high"]
    # Probabilities that are drawn apart or together change no ranking.
    np.testing.assert_array_equal(
        compare(compared(scale=(1, 1)))[["difference", "low", "high", "pvalue"]],
        compare(compared(scale=(0.1, 5)))[["difference", "low", "high", "pvalue"]],
    )


def test_a_result_compares_tags_by_group():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 5)
    good = rng.normal(size=(60, 3))
    y = pd.DataFrame(1 * (good + rng.normal(size=(60, 3)) > 0), columns=["dark", "epic", "film"])
    result = evaluate(
        {"good": good, "noise": rng.normal(size=(60, 3))},
        {"lr": LogisticRegression(), "rf": RandomForestClassifier(5)}, None, y, groups=groups,
        n_folds=2,
    )  # fmt: skip
    row = result.compare_features().iloc[0]
    means = result.summary().groupby("feature")["average_precision"].mean()
    assert row["difference"] == pytest.approx(means["good"] - means["noise"])
    assert row["pvalue_holm"] == row["pvalue"] < 0.05
    assert len(result.compare_classifiers()) == 1
    assert headline_of(result).startswith("good is ")
    with pytest.raises(ValueError, match="must be one of 'average_precision'"):
        result.compare_features("f1")

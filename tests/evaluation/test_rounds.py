"""Rounds of fits: ended by the time or by hand, kept, and gone on with."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate, rounds
from skmer.evaluation.fitting import Fitted
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.words import methods_paragraph, trust_notes
from skmer.evaluation.tasks import CLASSIFICATION
from skmer.exceptions import InputError

RNG = np.random.default_rng(0)
LABELS, SINGERS = np.tile(["calm", "sad"], 20), np.repeat(np.arange(10), 4)
FEATURES = {
    "good": RNG.normal(size=(40, 3)) + (LABELS == "sad")[:, None],
    "noise": RNG.normal(size=(40, 3)),
}
MODELS = {"plain": GaussianNB(), "smooth": GaussianNB(var_smoothing=0.1)}
# 2 features, 2 models, 5 folds in each of 3 rounds, and a shuffle in each.
N_ROUND = 2 * 2 * 6


def run(checkpoint=None, **options):
    defaults = {"groups": SINGERS, "protocol": ["grouped", "koh2021"], "n_repeats": 3}
    return evaluate(
        FEATURES, MODELS, None, LABELS, checkpoint=checkpoint, audit=False, **(defaults | options)
    )


@pytest.fixture
def fits(monkeypatch):
    """Count the fits; ``before[n] = action`` calls an action before the fit of that number."""

    class Fits:
        n = 0
        before: dict = {}
        done: list = []

    fits, do = Fits(), rounds.fit_and_predict
    fits.before, fits.done = {}, []

    def count(fit):
        fits.n += 1
        fits.before.get(fits.n, lambda: None)()
        fits.done.append(fit)
        return do(fit)

    monkeypatch.setattr(rounds, "fit_and_predict", count)
    return fits


@pytest.fixture(scope="module")
def timed():
    started = time.monotonic()
    return run(), time.monotonic() - started


@pytest.fixture
def whole(timed):
    return timed[0]


@pytest.fixture
def enough(timed):
    """Seconds for more than all rounds, however loaded the machine is."""
    return max(1.0, 2 * timed[1])


def check_same(result, whole):
    times = ["fit_time", "score_time"]
    pd.testing.assert_frame_equal(
        result.scores.drop(columns=times), whole.scores.drop(columns=times), check_exact=True
    )
    pd.testing.assert_frame_equal(result.predictions, whole.predictions, check_exact=True)
    assert result.manifest["protocols"] == whole.manifest["protocols"]


def interrupt():
    raise KeyboardInterrupt


def test_the_work_goes_round(fits):
    result = run()
    assert [fit.split.repeat for fit in fits.done] == np.repeat([0, 1, 2], N_ROUND).tolist()
    # All features of a model together.
    models = [fit.key["classifier"] for fit in fits.done[:N_ROUND]]
    assert models == ["plain"] * 12 + ["smooth"] * 12
    assert result.manifest["rounds"]["done"] == result.manifest["rounds"]["of"] == 3
    assert result.manifest["rounds"]["ended_by"] is None


def test_the_time_ends_a_fit_that_hangs_and_the_rounds_so_far_are_a_result(
    fits, tmp_path, whole, enough
):
    fits.before[N_ROUND + 5] = lambda: time.sleep(600)
    part = run(tmp_path, time_limit=enough)
    assert part.manifest["rounds"]["done"] == 1
    assert part.manifest["rounds"]["ended_by"] == "time"
    assert part.manifest["rounds"]["seconds_left"] > 0
    assert len(part.scores) == N_ROUND
    check_same_rows = whole.scores["repeat"] == 0
    assert part.scores["accuracy"].tolist() == whole.scores["accuracy"][check_same_rows].tolist()
    assert [len(one["splits"]) for one in part.manifest["protocols"].values()] == [5, 1]
    # The next call goes on, and a finished run is the one that was never ended.
    n_before = fits.n
    check_same(run(tmp_path), whole)
    assert fits.n - n_before == 3 * N_ROUND - (N_ROUND + 4)
    check_same(run(tmp_path), whole)
    assert fits.n == n_before + 3 * N_ROUND - (N_ROUND + 4)


def test_what_ended_in_an_error_or_was_killed_goes_on(fits, tmp_path, whole):
    def fail():
        raise RuntimeError("killed")

    fits.before[30] = fail
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path)
    check_same(run(tmp_path), whole)
    assert fits.n == 30 + 3 * N_ROUND - 29


def test_an_interrupt_is_raised_unless_a_result_is_wanted(fits, tmp_path):
    fits.before[2 * N_ROUND + 3] = interrupt
    with pytest.raises(KeyboardInterrupt):
        run()
    fits.n = 0
    part = run(tmp_path, on_interrupt="return")
    assert part.manifest["rounds"]["done"] == 2
    assert part.manifest["rounds"]["ended_by"] == "interrupt"
    # Before any model has a round there is nothing to return.
    fits.n, fits.before = 0, {3: interrupt}
    with pytest.raises(KeyboardInterrupt):
        run(on_interrupt="return")


def test_of_a_first_round_the_models_that_are_whole_are_a_result(fits):
    fits.before[N_ROUND - 3] = interrupt
    part = run(on_interrupt="return")
    assert set(part.scores["classifier"]) == {"plain"}
    assert set(part.scores["feature"]) == set(FEATURES)
    assert part.manifest["rounds"]["unfinished_models"] == ["smooth"]
    assert list(part.manifest["models"]) == ["plain"]
    note = next(one for one in trust_notes(Overview(part)) if "rounds" in one.text)
    assert note.text.startswith("1 of 3 rounds are done, since it was interrupted")
    assert "Left out, without a whole round: smooth." in note.text
    assert "from 5 splits (grouped)" in methods_paragraph(Overview(part))


def test_what_is_left_and_slow_follows_from_the_fits_that_are_done():
    places = [(model, repeat) for model in ("nb", "svm") for repeat in range(3)]
    fits = [
        SimpleNamespace(
            key={"feature": "a", "classifier": model},
            task=CLASSIFICATION,
            split=SimpleNamespace(protocol="grouped", repeat=repeat),
        )
        for model, repeat in places
    ]

    def whole(seconds):
        done = {i: Fitted({}, {}, {"fit_time": s, "score_time": 0.5}) for i, s in seconds.items()}
        return rounds._whole_rounds(fits, done, "time", 1)

    none = whole({})
    assert (none.fits, none.done, none.slowest, none.seconds_left) == ([], 1, {}, 0)
    assert none.unfinished_models == ["nb", "svm"]
    part = whole({0: 1.5, 3: 9.5, 4: 5.5})
    assert part.fits == [fits[0], fits[3]]
    assert (part.done, part.of, part.seconds_left) == (1, 3, 2 * 2 + 8)
    assert part.slowest == {"a + svm": round(16 / 18, 3)}


def test_a_time_that_is_too_short_is_an_error_that_says_so(fits, tmp_path, enough):
    fits.before[4] = lambda: time.sleep(600)
    with pytest.raises(InputError, match=r"3 of 72 fits were done.* no model has a whole round"):
        run(tmp_path, time_limit=enough)
    for wrong in (-1, np.nan):
        with pytest.raises(InputError, match="'time_limit' parameter must be seconds"):
            run(time_limit=wrong)


def test_a_fit_is_found_by_all_that_its_numbers_depend_on(fits, tmp_path):
    one = {"protocol": "grouped", "n_repeats": 1}
    run(tmp_path, **one)
    assert fits.n == 20
    # What it is called is not among it.
    evaluate(
        {"other": FEATURES["good"]}, {"name": GaussianNB()}, None, LABELS, groups=SINGERS,
        checkpoint=tmp_path, audit=False, **one,
    )  # fmt: skip
    assert fits.n == 20
    run(tmp_path, **one | {"n_repeats": 2})
    assert fits.n == 40
    run(tmp_path, **one, random_state=1)
    assert fits.n == 60
    run(tmp_path, **one, scoring="jaccard_macro")
    assert fits.n == 80
    changed = FEATURES["good"].copy()
    changed[0, 0] += 1
    evaluate({"good": changed}, {"nb": MODELS["plain"]}, None, LABELS, groups=SINGERS,
             checkpoint=tmp_path, audit=False, **one)  # fmt: skip
    assert fits.n == 85


def test_a_fit_with_labels_of_any_length_is_kept(fits, tmp_path):
    y = np.char.add(LABELS, "x" * 70000)
    both = [
        evaluate({"a": FEATURES["good"]}, {"nb": GaussianNB()}, None, y, groups=SINGERS, n_folds=2,
                 n_repeats=1, checkpoint=tmp_path, audit=False) for _ in range(2)
    ]  # fmt: skip
    assert fits.n == 2
    pd.testing.assert_frame_equal(*(one.predictions for one in both))


def test_a_damaged_file_is_computed_again(fits, tmp_path, whole):
    run(tmp_path)
    for path in list(tmp_path.rglob("*.clip"))[:2]:
        path.write_bytes(path.read_bytes()[:-1])
    check_same(run(tmp_path), whole)
    assert fits.n == 3 * N_ROUND + 2


def test_what_is_left_and_what_takes_longest_is_told(fits, capfd):
    class Slow(GaussianNB):
        def fit(self, X, y):
            time.sleep(0.02)
            return super().fit(X, y)

    evaluate(FEATURES, {**MODELS, "more": GaussianNB(var_smoothing=1), "slow": Slow()}, None,
             LABELS, groups=SINGERS, n_repeats=2, audit=False, verbose=True)  # fmt: skip
    told = capfd.readouterr().err
    assert "Round 1 of 2 done, about " in told
    assert "Most of the time is taken by " in told
    assert "good + slow (" in told

"""Errors name their parameter, and their length is bounded in one place."""

import pickle
from typing import Literal

import pytest

from skmer import MFCCStatsTransformer, utils
from skmer.exceptions import AudioDecodeError, FailedClipsWarning, InputError, InputTypeError
from skmer.utils.estimators import Many, Share, check_seed, checked
from skmer.utils.files import atomic_write
from skmer.utils.messages import check_choice, check_whole
from skmer.utils.processes import check_n_jobs


@checked
def draw(share: Share, *, n: Many = 1, how: Literal["a", "b"] = "a") -> str:
    return f"{share} {n} {how}"


@pytest.mark.parametrize(
    ("check", "param"),
    [
        (lambda: check_whole("f", n_folds=0), "n_folds"),
        (lambda: check_whole("f", n_folds=True), "n_folds"),
        (lambda: check_whole("f", most=3, n_folds=4), "n_folds"),
        (lambda: check_choice("f", ["a", 1], preset=True), "preset"),
        (lambda: check_seed(-1), "random_state"),
        (lambda: check_n_jobs(0), "n_jobs"),
        (lambda: draw(1.0), "share"),
        (lambda: draw(0.5, n=10**7), "n"),
        (lambda: draw(0.5, how="c"), "how"),
        (lambda: MFCCStatsTransformer(n_mfcc="x" * 900).fit(["a.wav"]), "n_mfcc"),
    ],
)
def test_an_error_has_the_name_of_its_parameter(check, param):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        check()
    assert caught.value.param == param
    assert len(str(caught.value)) <= 500
    assert draw(0.5, how="b") == "0.5 1 b"


def test_errors_are_pickled_with_what_they_carry():
    for error, name, value in [
        (InputError("a", param="n"), "param", "n"),
        (InputTypeError("a", param="n"), "param", "n"),
        (AudioDecodeError("a", row=3), "row", 3),
        (FailedClipsWarning("a", {1: "b"}), "failures", {1: "b"}),
    ]:
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), getattr(again, name)) == ("a", value)


def test_a_name_that_became_private_warns_and_others_are_no_attributes():
    with pytest.warns(DeprecationWarning, match=r"skmer\.utils\.unfinished_file is deprecated"):
        assert utils.unfinished_file is atomic_write
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = utils.other

"""Labels and groups: what comes out is what went in, and nothing is missing or mixed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.exceptions import InputError
from skmer.utils.labels import check_labels, check_order, find_alike


@given(st.lists(st.text(), min_size=1) | st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_labels_stay_what_they_are(labels):
    for values in (labels, tuple(labels), pd.Series(labels), np.array(labels, dtype=object)):
        assert check_labels(values, "They", as_given=True).tolist() == np.array(labels).tolist()


def test_nullable_columns_are_plain_arrays():
    assert check_labels(pd.Series([1, 2], dtype="Int64"), "They").dtype == np.int64
    assert check_labels(pd.Series(["b", "a"], dtype="category"), "They").tolist() == ["b", "a"]
    assert check_labels([True, False], "They").dtype == bool


@pytest.mark.parametrize(
    "values",
    [
        ["a", None],
        ["a", np.nan],
        pd.Series(["a", pd.NA], dtype="string"),
        pd.Series([1, pd.NA], dtype="Int64"),
        [1.0, np.nan],
        np.array([1.0, np.nan]),
        [1, None],
        np.ma.masked_array([1, 2], mask=[False, True]),
    ],
)
def test_missing_values(values):
    with pytest.raises(InputError, match=r"They have missing values: 1 of 2 .* in row 1"):
        check_labels(values, "They")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1], "Got mixed-integer values, such as 'a'"),
        ([True, 2], "Got mixed-integer values, such as True"),
        ([b"a", b"b"], "Got bytes values, such as b'a'"),
        ([2**70], "at most 64 bits"),
        ([[1], [2, 3]], "all text, or all numbers"),
        ([["a"], ["b"]], "one for each clip. Got shape \\(2, 1\\)"),
    ],
)
def test_mixtures_and_other_things(values, message):
    with pytest.raises(InputError, match=message):
        check_labels(values, "They")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("text", "must be a sequence, one for each clip. Got 'text'"),
        ({1, 2}, "must be a sequence"),
        (3, "must be a sequence"),
    ],
)
def test_what_is_no_sequence(values, message):
    with pytest.raises(InputError, match=message):
        check_labels(values, "They")


def test_names_that_read_the_same():
    forms = ["Zo\u00e9", "Zoe\u0301", " Zo\u00e9\u200b", "\ufeffZo\u00e9\xa0"]
    for values in (forms, np.array(forms), np.array(forms, dtype=np.dtypes.StringDType())):
        labels = check_labels(values, "They")
        assert labels.dtype.kind == "U"
        assert set(labels) == {"Zo\u00e9"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Destiny's Child", "Destiny\u2019s Child"),
        ("A-ha", "a\u2010ha"),
        ("Ann", "Ann_feat._Bob"),
        ("Ann", "\uff21nn (ft. Bob)"),
        ("Gipsy Kings", "Gipsy\xa0 Kings"),
        ("Annie", "An\xadnie"),
        ("Nick Cave", "Nick_Cave"),
    ],
)
def test_names_that_may_be_one(first, second):
    assert find_alike([first, second, "A+V-", "A-V+"]) == [sorted([first, second])]


def test_an_index_of_clips_and_labels_in_another_order():
    index = pd.MultiIndex.from_tuples([("a.wav", 0, 1), ("a.wav", 1, 2)])
    y = pd.Series(["calm", "sad"], index)
    check_order({"X": index, "y": y})
    with pytest.raises(InputError, match="must have their rows in one order"):
        check_order({"X": index[::-1], "y": y})

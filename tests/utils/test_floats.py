"""Numbers come through as they are; anything else is one sentence."""

import numpy as np
import pytest

from skmer.exceptions import InputError
from skmer.utils.floats import check_floats


def test_numbers_stay_what_they_are():
    assert check_floats([1, 2.5], "n").tolist() == [1, 2.5]
    single = np.ones((2, 3), np.float32)
    assert check_floats(single, "n", ndim=2) is single
    assert np.isnan(check_floats([np.nan], "n", finite=False)).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"], "'n' must be an array of numbers: could not convert string to float: 'a'"),
        ([None], "contains NaN"),
        ([[1], [2, 3]], "array of numbers"),
        ([1j], "array of numbers"),
        (np.ma.masked_array([1.0], mask=[True]), "'n' has masked values"),
        ([[1.0]], "'n' must have 1 dimension. Got shape \\(1, 1\\)"),
        ([np.inf], "Input n contains infinity"),
        ([2e15], "'n' must hold numbers between"),
    ],
)
def test_what_has_other_values(values, message):
    with pytest.raises(InputError, match=message):
        check_floats(values, "n", ndim=1)

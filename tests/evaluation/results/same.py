"""Two results that are one."""

from pandas.testing import assert_frame_equal


def assert_same(loaded, result):
    """What was read is what was saved, types and missing cells included."""
    assert type(loaded) is type(result)
    assert loaded.manifest == result.manifest
    assert_frame_equal(loaded.scores, result.scores, check_exact=True)
    assert_frame_equal(loaded.predictions, result.predictions, check_exact=True)
    assert_frame_equal(loaded.maps, result.maps, check_exact=True)

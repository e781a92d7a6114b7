"""Clips for the tests of models."""

import pytest

from tests.models.songs import songs as make_songs


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Paths and labels of twenty-four clips."""
    return make_songs(tmp_path_factory.mktemp("songs"))

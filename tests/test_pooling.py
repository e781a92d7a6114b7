"""Laws of pooling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from skmer.pooling import pad_frames, pool_frames

FRAMES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.floats(-1e3, 1e3, width=32),
)


@given(FRAMES)
def test_bounds(frames):
    d = frames.shape[1]
    low, mean, high, std = np.split(pool_frames(frames, ("min", "mean", "max", "std")), 4)
    assert low.shape == (d,)
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert (std >= 0).all()
    assert (std <= (high - low) / 2 * (1 + 1e-6)).all()


@given(FRAMES, st.randoms())
def test_order_of_frames_does_not_matter(frames, random):
    order = list(range(len(frames)))
    random.shuffle(order)
    np.testing.assert_allclose(
        pool_frames(frames[order], ("mean", "std", "max", "min")),
        pool_frames(frames, ("mean", "std", "max", "min")),
        rtol=1e-6,
        atol=1e-4,
    )


def test_statistics_are_concatenated_in_their_order():
    frames = np.array([[1.0, 2.0, 3.0], [5.0, 4.0, 3.0]])
    assert pool_frames(frames, "max").tolist() == [5, 4, 3]
    assert pool_frames(frames, ("max", "min")).tolist() == [5, 4, 3, 1, 2, 3]


@pytest.mark.parametrize("statistics", ["avg", (), ("mean", "median")])
def test_unknown_statistics(statistics):
    with pytest.raises(ValueError, match=r"\['max', 'mean', 'min', 'std'\], got"):
        pool_frames(np.ones((2, 3)), statistics)


@pytest.mark.parametrize("shape", [(0, 3), (3,), (1, 2, 3)])
def test_frames_of_another_shape(shape):
    with pytest.raises(ValueError, match="must have shape"):
        pool_frames(np.ones(shape))


def test_a_clip_that_cannot_be_read_stays_nan():
    clip = np.full((1, 3), np.nan, np.float32)
    assert np.isnan(pool_frames(clip, ("mean", "max"))).all()
    padded = pad_frames([clip, np.ones((2, 3))])
    assert np.isnan(padded[0, 0]).all()
    assert (padded[0, 1] == 0).all()


def test_padding_and_cutting():
    clips = [np.full((2, 3), 1.0), np.full((5, 3), 2.0)]
    padded = pad_frames(clips)
    assert padded.shape == (2, 5, 3)
    assert padded.dtype == np.float32
    assert (padded[0, 2:] == 0).all()
    assert (padded[0, :2] == 1).all()
    assert pad_frames(clips, 4).shape == (2, 4, 3)
    assert pad_frames(clips, 1).shape == (2, 1, 3)
    assert pad_frames(clips, 7)[:, 5:].sum() == 0
    assert pad_frames(clips[:1]).shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("clips", "n_frames", "message"),
    [
        ([], None, "at least one"),
        ([np.ones((1, 2)), np.ones((1, 3))], None, "of one width, got \\[2, 3\\]"),
        ([np.ones((1, 2))], 0, "from 1 to 1000000. Got 0"),
        ([np.ones((1, 2))], True, "from 1 to 1000000. Got True"),
        ([np.ones((1, 2))], 10**9, "from 1 to 1000000. Got 1000000000"),
        ([np.ones((1, 2))], 2**63, "from 1 to 1000000. Got 9223372036854775808"),
        (np.array(2), None, "must be a sequence of arrays"),
        ([np.full((1, 2), 1e39)], None, "between -1e.15 and 1e.15"),
        ([np.full((1, 2), np.inf)], None, "between -1e.15 and 1e.15"),
    ],
)
def test_clips_that_cannot_be_stacked(clips, n_frames, message):
    with pytest.raises(ValueError, match=message):
        pad_frames(clips, n_frames)

"""The arithmetic of frames, for any length, hop, padding, and any cut into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.audio import Framing

# n_samples -> frames at 48 kHz for (hop .1 centre, .1 left, .5 centre, .5 left, 1.0 centre,
# 1.0 left), as openl3 0.4.2 gives them.
OPENL3_COUNTS = {
    1: (1, 1, 1, 1, 1, 1),
    24000: (1, 1, 1, 1, 1, 1),
    24001: (2, 1, 2, 1, 2, 1),
    48000: (6, 1, 2, 1, 2, 1),
    48001: (7, 2, 3, 2, 2, 2),
    96000: (16, 11, 4, 3, 3, 2),
}


@pytest.mark.parametrize("n_samples", OPENL3_COUNTS)
def test_counts_are_openl3s(n_samples):
    counts = tuple(
        Framing(48000, int(hop * 48000), 24000 if center else 0).n_frames(n_samples)
        for hop in (0.1, 0.5, 1.0)
        for center in (True, False)
    )
    assert counts == OPENL3_COUNTS[n_samples]


def test_thirty_seconds_at_openl3s_defaults():
    assert Framing(48000, 4800, 24000).n_frames(30 * 48000) == 296


@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [(0, 1), (1, 1), (15599, 1), (15600, 1), (15600 + 15360, 2), (160000, 10), (480000, 31)],
)
def test_counts_are_vggishs(n_samples, expected):
    framing = Framing(15600, 15360, keep_tail=False)
    assert framing.n_frames(n_samples) == expected


@given(
    n_samples=st.integers(1, 200),
    frame=st.integers(1, 30),
    hop=st.integers(1, 40),
    left=st.integers(0, 20),
    keep_tail=st.booleans(),
    size=st.integers(1, 7),
    cuts=st.lists(st.integers(0, 200), max_size=4),
)
def test_blocks_equal_plain_slicing(n_samples, frame, hop, left, keep_tail, size, cuts):
    audio = np.arange(1, n_samples + 1, dtype=np.float32)
    framing = Framing(frame, hop, left, keep_tail)
    n_frames = framing.n_frames(n_samples)
    padded = np.concatenate([np.zeros(left), audio, np.zeros(frame + n_frames * hop)])
    expected = np.stack([padded[i * hop : i * hop + frame] for i in range(n_frames)])
    blocks = list(framing.blocks(np.split(audio, sorted(cuts)), size=size))
    assert all(len(block) == size for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate(blocks), expected)


@given(
    n_samples=st.integers(1, 10**7),
    frame=st.integers(1, 10**5),
    hop=st.integers(1, 10**5),
    left=st.integers(0, 10**5),
)
def test_no_sample_is_lost_and_no_frame_is_empty(n_samples, frame, hop, left):
    n_frames = Framing(frame, hop, left).n_frames(n_samples)
    assert (n_frames - 1) * hop + frame >= min(n_samples + left, frame)
    if hop <= frame:
        assert (n_frames - 1) * hop < n_samples + left
        assert (n_frames - 1) * hop + frame >= n_samples + left
    dropped = Framing(frame, hop, left, keep_tail=False).n_frames(n_samples)
    assert 0 <= n_frames - dropped <= 1


@pytest.mark.parametrize("cut", [1, 441, 10**9])
def test_what_is_copied_grows_with_the_waveform_alone(monkeypatch, cut):
    copied = []

    def concatenate(arrays, real=np.concatenate):
        joined = real(arrays)
        copied.append(len(joined))
        return joined

    monkeypatch.setattr("skmer.audio.framing.np.concatenate", concatenate)
    audio = np.zeros(20000, np.float32)
    blocks = [audio[start : start + cut] for start in range(0, len(audio), cut)]
    n_frames = sum(len(frames) for frames in Framing(100, 50).blocks(blocks, size=19))
    assert n_frames == 399
    assert sum(copied) < 2 * len(audio)


def test_blocks_come_as_soon_as_they_can():
    """So that of a waveform without end no more than a block lies in memory."""
    n_read = 0

    def samples():
        nonlocal n_read
        while True:
            n_read += 1
            yield np.full(1, n_read, np.float32)

    blocks = Framing(frame_length=10, hop_length=3).blocks(samples(), size=4)
    for n_blocks in range(1, 50):
        next(blocks)
        # Up to the end of the first frame of the next block: before, this one may be the last.
        assert n_read == 10 + 3 * 4 * n_blocks

"""A clip that starts at an offset is what is there in the whole one."""

import struct

import numpy as np
import pandas as pd
import pytest

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio
from skmer.embeddings import extract
from skmer.exceptions import AudioDecodeError
from tests.audio.encoding import SR, encoded, variable_mp3, without_xing, write


def test_offset_is_measured_in_what_is_there(tmp_path, clip):
    path = write(tmp_path, "bare.mp3", without_xing(variable_mp3(clip)))
    waveform, _ = read_audio(path)
    for offset in (0.01, 1.0, 4.5):
        part, _ = read_audio(path, offset=offset, duration=1.25)
        start = round(offset * SR)
        np.testing.assert_allclose(part, waveform[start : start + len(part)], atol=1e-6)
        assert len(part) == round(1.25 * SR)
    with pytest.raises(AudioDecodeError, match="ends before offset=7"):
        read_audio(path, offset=7)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "flac", "wav", "aiff"])
def test_offset_is_the_same_sample_everywhere(tmp_path, clip, suffix):
    sr = 48000 if suffix == "opus" else SR
    path = write(tmp_path, f"a.{suffix}", encoded(clip, suffix, sr))
    whole, _ = read_audio(path)
    for start in [1, *range(1000, len(clip), 9973), len(clip) - 500]:
        part, _ = read_audio(path, offset=start / sr, duration=0.1)
        np.testing.assert_allclose(part, whole[start:][: sr // 10], atol=1e-5, err_msg=str(start))


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
@pytest.mark.parametrize("numbered", [False, True])
def test_offset_in_a_stream_that_was_taken_up_late(tmp_path, clip, suffix, numbered):
    """As of a radio: its pages state times since the start of the stream."""
    sr = 48000 if suffix == "opus" else SR
    pages = pages_of(encoded(clip, suffix, sr))
    kept = pages[:2] + pages[len(pages) // 2 :]
    if numbered:
        kept = [with_number(page, number) for number, page in enumerate(kept)]
    path = write(tmp_path, f"late.{suffix}", b"".join(kept))
    whole, _ = read_audio(path)
    assert sr < len(whole) < len(clip)
    for offset in (0.1, 0.5, 0.9):
        part, _ = read_audio(path, offset=offset, duration=0.1)
        start = round(offset * sr)
        np.testing.assert_allclose(part, whole[start:][: sr // 10], atol=1e-5)


def pages_of(data):
    return [b"OggS" + page for page in data.split(b"OggS")[1:]]


def with_number(page, number):
    page = bytearray(page)
    page[18:26] = struct.pack("<II", number, 0)
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", checksum)
    return bytes(page)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "flac", "wav"])
def test_a_table_states_the_duration_that_is_there(tmp_path, clip, suffix):
    """Of a joined file, and of an mp3 that states none."""
    sr = 48000 if suffix == "opus" else SR
    data = encoded(clip[: 2 * sr], suffix, sr)
    if suffix == "mp3":
        data = without_xing(variable_mp3(clip))
    path = write(tmp_path, f"a.{suffix}", data + data)
    waveform, _ = read_audio(path)
    extract([path], MFCCStatsTransformer(), tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["duration"].tolist() == [len(waveform) / sr]

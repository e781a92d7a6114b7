"""Files that state the size of their samples: 0, too much, or a guess."""

import io
import struct

import numpy as np
import pytest

from skmer.audio import read_audio
from skmer.audio.containers import find_parts
from skmer.exceptions import TruncatedClipWarning
from tests.audio.encoding import SR, encoded, variable_mp3, without_xing, write


@pytest.mark.parametrize("suffix", ["au", "rf64", "w64"])
def test_files_of_one_size_that_are_cut_or_whole(tmp_path, clip, suffix):
    data = encoded(clip, suffix, subtype="PCM_16")
    assert len(read_audio(write(tmp_path, f"whole.{suffix}", data))[0]) == len(clip)
    path = write(tmp_path, f"cut.{suffix}", data[: len(data) // 2])
    with pytest.warns(TruncatedClipWarning, match=rf"cut\.{suffix}.*ends before"):
        waveform, _ = read_audio(path)
    np.testing.assert_allclose(waveform, clip[: len(waveform)], atol=2**-15)
    assert len(waveform) > 0.4 * len(clip)


def test_a_caf_file_that_is_cut_is_known(clip):
    """What reads it then is not everywhere: libsndfile does not."""
    data = encoded(clip, "caf", subtype="PCM_16")
    cuts = [find_parts(io.BytesIO(data[:end]))[0].is_cut for end in (len(data), len(data) // 2)]
    assert cuts == [False, True]


@pytest.mark.parametrize("suffix", ["au", "rf64"])
def test_files_of_a_size_of_0_are_read_to_their_end(tmp_path, clip, suffix):
    data = bytearray(encoded(clip, suffix, subtype="PCM_16"))
    at = {"au": slice(8, 12), "rf64": slice(20, 44)}[suffix]
    data[at] = bytes(at.stop - at.start)
    waveform, _ = read_audio(write(tmp_path, f"a.{suffix}", data))
    np.testing.assert_allclose(waveform[: len(clip)], clip, atol=2**-15)
    assert len(waveform) - len(clip) < 100


def test_a_chunk_that_states_more_than_there_are_files(clip):
    data = bytearray(encoded(clip[:100], "w64", subtype="PCM_16"))
    data[56:64] = b"\xff" * 7 + b"\x7e"
    assert len(find_parts(io.BytesIO(data))) == 1


def test_an_mp3_inside_a_wav_is_whole(tmp_path, clip):
    mp3 = without_xing(variable_mp3(clip))
    head = struct.pack("<HHIIHHHHIHHH", 0x55, 1, SR, 16000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(mp3)) + mp3
    path = write(tmp_path, "a.wav", b"RIFF" + struct.pack("<I", len(body)) + body)
    waveform, _ = read_audio(path)
    assert 0 <= len(waveform) - len(clip) < 4000

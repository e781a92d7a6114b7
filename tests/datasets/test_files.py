"""Audio below a folder, and the audio of songs."""

import numpy as np
import pytest
import soundfile

from skmer.datasets.files import AUDIO_SUFFIXES, find_audio_files, match_songs


def test_every_format_of_libsndfile_with_a_header_is_found_by_its_name(tmp_path):
    written = {"AIFF": "aiff", "AU": "au", "CAF": "caf", "FLAC": "flac", "W64": "w64", "WAV": "wav"}
    for kind, suffix in written.items():
        soundfile.write(tmp_path / f"a.{suffix}", np.zeros(9), 8000, "PCM_16", format=kind)
    assert len(find_audio_files(tmp_path).paths) == len(written)
    others = {".m4a", ".wma", ".3gp", ".mov", ".mpga", ".spx", ".weba"}
    assert {".mp3", ".opus", ".rf64", ".voc", *others} <= AUDIO_SUFFIXES
    assert not {".mat", ".raw", ".txt", ".csv", ".zip"} & AUDIO_SUFFIXES


def test_the_longest_code_that_fits_is_the_song(tmp_path):
    folder = tmp_path
    (folder / "x").mkdir()
    for name in ("A061-66.mp3", "A061 - a title.mp3", "a062.mp3", "A0621.mp3", "x/A06.mp3"):
        (folder / name).touch()
    found = match_songs(["A061", "A061-66", "A062", "A07"], find_audio_files(folder).paths)
    assert {song: path.name for song, path in found.items()} == {
        "A061-66": "A061-66.mp3",
        "A061": "A061 - a title.mp3",
        "A062": "a062.mp3",
    }
    assert match_songs(["A061"], [folder / "A061-66.mp3"], exact=True) == {}


@pytest.mark.parametrize("exact", [False, True])
def test_several_audio_files_of_a_song(tmp_path, exact):
    """One's own copy or separated voice may have the name of the published clip."""
    paths = [tmp_path / name for name in ("2 - voice.mp3", "2.mp3", "my/2.wav")]
    with pytest.warns(UserWarning, match=r"1 song has several.*2\.mp3', which is used, and"):
        assert match_songs(["2", "3"], paths, exact=exact) == {"2": paths[1]}


def test_names_that_begin_with_several_dots_are_no_hidden_files(tmp_path):
    (tmp_path / "...And Oceans").mkdir()
    for name in ("...And Oceans/a.wav", "...b.wav", ".c.wav", "._d.wav"):
        (tmp_path / name).touch()
    found = find_audio_files(tmp_path)
    assert [path.name for path in found.paths] == ["a.wav", "...b.wav"]
    assert found.left_out == {"hidden files": 1, "resource forks (._*)": 1}

"""One folder per label: labels, groups, links, and what is left out."""

import os

import numpy as np
import pytest
import soundfile

from skmer.datasets import load_folder
from skmer.datasets.files import audio_suffixes, find_audio_files, match_songs
from skmer.exceptions import DatasetNotFoundError, InputError


@pytest.fixture
def make(tmp_path):
    """Make empty files below a folder."""

    def call(*names):
        for name in names:
            path = tmp_path / "songs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "songs"

    return call


def names(paths, folder):
    return [os.path.relpath(path, folder) for path in paths]


def test_labels_and_groups_by_folders(make):
    folder = make("sad/bob/2.wav", "sad/ann/1.mp3", "happy/ann/live/3.FLAC")
    dataset = load_folder(folder)
    assert names(dataset.data, folder) == [
        "happy/ann/live/3.FLAC",
        "sad/ann/1.mp3",
        "sad/bob/2.wav",
    ]
    assert dataset.target.tolist() == ["happy", "sad", "sad"]
    assert dataset.groups.tolist() == ["ann", "ann", "bob"]
    assert dataset.target_names == ["happy", "sad"]
    assert dataset.frame.columns.tolist() == ["path", "label", "group"]
    assert "3 clips below" in dataset.DESCR
    assert "Left out" not in dataset.DESCR
    data, target = load_folder(folder, return_X_y=True, as_frame=True)
    assert (data.name, target.name) == ("path", "label")


def test_groups_by_a_pattern(make):
    folder = make("sad/Ann - One - Two.wav", "glad/Bob - 3.wav", "glad/x/AC.DC - T.N.T..wav")
    dataset = load_folder(folder, group_from="{group} - *")
    assert dataset.groups.tolist() == ["Bob", "AC.DC", "Ann"]
    folder = make("sad/Ann/x.wav", "glad/Bob/y.wav")
    for name in ("sad/Ann - One - Two.wav", "glad/Bob - 3.wav", "glad/x/AC.DC - T.N.T..wav"):
        (folder / name).unlink()
    assert load_folder(folder, group_from="{group}/*").groups.tolist() == ["Bob", "Ann"]
    with pytest.raises(InputError, match=r"must fit .* It does not fit 2 of 2, y, x\."):
        load_folder(folder, group_from="{group}_*")
    for pattern in ("artist - *", "{group}{group}"):
        with pytest.raises(InputError, match=r"must hold '\{group\}' once"):
            load_folder(folder, group_from=pattern)


def test_no_groups_can_be_told(make):
    folder = make("sad/1.wav", "glad/ann/2.wav")
    with pytest.warns(UserWarning, match=r"No groups can be told.*group_from") as record:
        dataset = load_folder(folder)
    assert record[0].filename == __file__
    assert dataset.groups is None
    assert "No groups can be told" in dataset.DESCR


def test_refused(make, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="There is no folder"):
        load_folder(tmp_path / "no")
    folder = make("notes.txt")
    with pytest.raises(DatasetNotFoundError, match=r"no audio file.*that are not audio 1\."):
        load_folder(folder)
    folder = make("sad/1.wav", "stray.wav")
    with pytest.raises(InputError, match=r"1 clips without one, stray\.wav"):
        load_folder(folder)


def test_a_link_with_another_label(make):
    folder = make("sad/a/1.wav", "glad/a/2.wav")
    (folder / "glad" / "a" / "3.wav").symlink_to(folder / "sad" / "a" / "1.wav")
    with pytest.raises(InputError, match=r"one label. Got 'sad, glad' for .*1\.wav"):
        load_folder(folder)


def test_links_are_followed_once_and_the_rest_is_counted(make, tmp_path):
    folder = make(
        "sad/a/1.wav", "sad/a/._1.wav", "sad/.Trash-1000/files/x.wav", "$RECYCLE.BIN/y.wav",
        "sad/a/cover.jpg", ".hidden.wav", "glad/b/2.w64",
    )  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "3.ogg").touch()
    (elsewhere / "back").symlink_to(folder)  # a loop
    (elsewhere / "up").symlink_to(tmp_path)
    (folder / "glad" / "c").symlink_to(elsewhere)
    (folder / "glad" / "d").symlink_to(elsewhere)  # the same again
    (folder / "glad" / "self").symlink_to(folder / "glad")
    (folder / "sad" / "a" / "4.wav").symlink_to(tmp_path / "gone.wav")
    (folder / "sad" / "a" / "5.wav").symlink_to(folder / "sad" / "a" / "1.wav")
    (folder / "sad" / "round").symlink_to(folder / "sad" / "round")
    os.mkfifo(folder / "sad" / "pipe.wav")
    dataset = load_folder(folder)
    assert names(dataset.data, folder) == ["glad/b/2.w64", "glad/c/3.ogg", "sad/a/1.wav"]
    assert dataset.DESCR.endswith(
        "Left out: broken links 2, files that are not audio 1, hidden files 1, hidden or trash "
        "folders 2, links to files already taken 1, pipes and devices 1, resource forks (._*) 1."
    )


def test_every_format_of_libsndfile_with_a_header_is_found_by_its_name(tmp_path):
    written = {"AIFF": "aiff", "AU": "au", "CAF": "caf", "FLAC": "flac", "W64": "w64", "WAV": "wav"}
    for kind, suffix in written.items():
        soundfile.write(tmp_path / f"a.{suffix}", np.zeros(9), 8000, "PCM_16", format=kind)
    assert len(find_audio_files(tmp_path).paths) == len(written)
    others = {".m4a", ".wma", ".3gp", ".mov", ".mpga", ".spx", ".weba"}
    assert {".mp3", ".opus", ".rf64", ".voc", *others} <= audio_suffixes()
    assert not {".mat", ".raw", ".txt", ".csv", ".zip"} & audio_suffixes()


def test_the_longest_code_that_fits_is_the_song(make):
    folder = make("A061-66.mp3", "A061 - a title.mp3", "a062.mp3", "A0621.mp3", "x/A06.mp3")
    found = match_songs(["A061", "A061-66", "A062", "A07"], folder)
    assert {song: path.name for song, path in found.items()} == {
        "A061-66": "A061-66.mp3",
        "A061": "A061 - a title.mp3",
        "A062": "a062.mp3",
    }
    assert match_songs(["A061"], make("y/A061-66.mp3"), exact=True) == {}

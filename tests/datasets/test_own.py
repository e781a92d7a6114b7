"""The user's own folders: labels, groups and tables in them, links, and what is left out."""

import os

import pytest

from skmer.datasets import load_dataset, load_folder
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


@pytest.fixture
def folder(tmp_path):
    """Clips at any depth, and what writes a csv file beside them."""
    for name in ("happy/a.wav", "happy/b.flac", "sad/deep/c d.mp3"):
        (tmp_path / "songs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "songs" / name).touch()

    def call(content, name="songs.csv"):
        (tmp_path / "songs" / name).write_text(content)
        return tmp_path / "songs"

    return call


def test_a_folder_with_a_table_of_groups(folder):
    path = folder("path,group,year\nc d,Cid,1\nb.flac,Bob,2\nhappy/a.wav,Ann,3\n")
    dataset = load_folder(path)
    assert [os.path.basename(one) for one in dataset.data] == ["c d.mp3", "b.flac", "a.wav"]
    assert all(map(os.path.isfile, dataset.data))
    assert dataset.target.tolist() == ["sad", "happy", "happy"]
    assert dataset.groups.tolist() == ["Cid", "Bob", "Ann"]
    # A pattern goes before the table, as before there was one.
    assert load_folder(path, group_from="{group}").groups.tolist() == ["a", "b", "c d"]


def test_a_folder_with_a_table_of_labels_tags_or_numbers(folder):
    path = folder(
        "file;mood;who;tags;arousal\na;x;Ann;dark, epic;.5\nb;y;Bob;;1\nc d;x;Cid;film;0\n"
    )
    (path / "beside.wav").touch()
    names = {"path_column": "file", "group_column": "who"}
    with pytest.warns(UserWarning, match=r"1 clip in .* is not listed in songs.csv and left out"):
        dataset = load_dataset(path, label_column="mood", **names)
    assert dataset.target.tolist() == ["x", "y", "x"]
    assert dataset.DESCR.endswith("1 clip that it does not list is left out.")
    (path / "beside.wav").unlink()
    tags = load_dataset(path, tags_column="tags", tags_separator=",", **names)
    assert tags.target.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    numbers = load_dataset(path, target_columns=["arousal"], **names)
    assert numbers.target.tolist() == [[0.5], [1], [0]]
    assert numbers.groups.tolist() == ["Ann", "Bob", "Cid"]


def test_a_table_of_tags_and_groups_by_the_names(make):
    folder = make("happy/Ann - a.wav", "sad/Bob - b.wav")
    (folder / "tags.tsv").write_text("path\ttags\nAnn - a\tx;y\nsad\\Bob - b.wav\tx\n")
    dataset = load_folder(folder, tags_column="tags", group_from="{group} - *")
    assert dataset.target.tolist() == [[1, 1], [1, 0]]
    assert dataset.groups.tolist() == ["Ann", "Bob"]
    with pytest.raises(InputError, match="'group_from' and 'group_column'"):
        load_folder(folder, group_column="tags", group_from="{group} - *")


def test_a_table_in_a_folder_that_is_not_about_labels_stays_out(folder):
    path = folder("path,mfcc_0\na,1\n", "features.csv")
    with pytest.warns(UserWarning, match="There are no groups"):
        assert load_folder(path).target.tolist() == ["happy", "happy", "sad"]
    with pytest.raises(InputError, match=r"columns 'path', 'tags'\. Got features.csv"):
        load_folder(path, tags_column="tags")
    folder("path,group\na,1\nb,1\nx y,2\n")
    with pytest.raises(DatasetNotFoundError, match=r"1 of the 3 clips listed in .* do not exist"):
        load_folder(path)
    folder("path,label\na,1\n", "more.csv")
    with pytest.raises(InputError, match="must have one csv file about its clips"):
        load_folder(path)


def test_a_table_without_labels_needs_folders_of_labels(folder):
    path = folder("path,group\na,1\nbeside,1\n")
    (path / "beside.wav").touch()
    with pytest.raises(InputError, match="no column of labels"):
        load_folder(path)


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


def test_no_groups(make):
    folder = make("sad/1.wav", "glad/ann/2.wav")
    with pytest.warns(UserWarning, match=r"There are no groups.*group_from") as record:
        dataset = load_folder(folder)
    assert record[0].filename == __file__
    assert dataset.groups is None
    assert "There are no groups" in dataset.DESCR


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("Ann - Sun", "Ann - Moon", "Bob - Rain - Live"), "{group} - *"),
        (("Sun - Ann", "Moon - Ann", "Rain - Bob"), "* - {group}"),
        (("01 - Ann - Sun", "02 - Ann - Moon", "01 - Bob - Rain"), "* - {group} - *"),
        (("01. Ann - Sun", "02. Ann - Moon", "01. Bob - Rain"), "*. {group} - *"),
        (("ann_sun", "ann_moon", "bob_rain"), "{group}_*"),
        (("Ann \u2013 Sun", "Ann \u2013 Moon", "Bob \u2013 Rain"), "{group} \u2013 *"),
        (("MT01", "MT02", "MT03"), None),
        (("happy_01", "happy_02", "happy_03"), None),
        (("03-01-06", "03-02-06", "03-01-05"), None),
    ],
)
def test_names_that_look_like_a_pattern_are_told_with_it(make, names, pattern):
    folder = make(*(f"{label}/{name}.wav" for label in ("sad", "glad") for name in names))
    with pytest.warns(UserWarning, match="There are no groups") as record:
        load_folder(folder)
    message = str(record[0].message)
    assert ("look like a pattern" in message) == (pattern is not None)
    if pattern is not None:
        assert message.endswith(f"group_from={pattern!r}.")
        found = load_folder(folder, group_from=pattern)
        assert len(set(found.groups)) == 2


def test_a_pattern_that_some_names_do_not_fit_is_told_with_them(make):
    folder = make("sad/odd.wav", *(f"glad/{who} - {i}.wav" for who in "ab" for i in range(6)))
    with pytest.warns(UserWarning, match=r"\* - \{group\}|\{group\} - \*.*1 name is .* odd\.wav"):
        load_folder(folder)


def test_folders_that_cannot_be_used(make, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="There is no folder"):
        load_folder(tmp_path / "no")
    folder = make("notes.txt")
    with pytest.raises(DatasetNotFoundError, match=r"no audio file.*that are not audio 1\."):
        load_folder(folder)
    folder = make("sad/1.wav", "stray.wav")
    with pytest.raises(InputError, match=r"1 clip without one, stray\.wav"):
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

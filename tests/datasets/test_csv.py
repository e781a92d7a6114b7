"""The user's own table: what is read, and what is refused in which words."""

import pytest

from skmer.datasets import load_csv, load_dataset
from skmer.exceptions import DatasetNotFoundError


@pytest.fixture
def write(tmp_path):
    """Write a csv beside three clips."""
    for name in ("a.wav", "b.flac", "c d.mp3"):
        (tmp_path / "clips" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / name).touch()

    def call(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return call


def test_order_types_and_paths(write, tmp_path):
    other = tmp_path / "clips" / "c d.mp3"
    path = write(
        "\ufefflabel, path ,year,group\nsad,clips/b.flac,1999, Björk \nhappy,./clips/a.wav,,02\n"
        f'sad,"{other}",NA,x\n'
    )
    dataset = load_csv(path)
    assert dataset.data.tolist() == [
        str(tmp_path / "clips" / name) for name in ("b.flac", "a.wav", "c d.mp3")
    ]
    assert dataset.target.tolist() == ["sad", "happy", "sad"]
    assert dataset.target_names == ["happy", "sad"]
    assert dataset.groups.tolist() == ["Björk", "02", "x"]
    assert dataset.frame.columns.tolist() == ["path", "label", "group", "year"]
    assert dataset.frame["year"].tolist() == ["1999", "", "NA"]
    assert load_dataset(path).data.tolist() == dataset.data.tolist()
    data, target = load_csv(path, return_X_y=True, as_frame=True)
    assert (data.name, target.name) == ("path", "label")


def test_a_label_that_pandas_takes_for_missing_stays(write):
    dataset = load_csv(write("path,label\nclips/a.wav,NA\nclips/b.flac,null\n"))
    assert dataset.target.tolist() == ["NA", "null"]
    assert dataset.groups is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "path,emotion\nclips/a.wav,x\n",
            "columns 'path' and 'label'.*Got \\['path', 'emotion'\\]",
        ),
        ("path;label\nclips/a.wav;x\n", "separated by commas"),
        ("path,label\n", "at least one clip. Got a header and no rows"),
        ("", "Got an empty file"),
        ("path,label\nclips/a.wav,x\n./clips/a.wav,y\n", "list a clip once.*a.wav"),
        ("path,label\nclips/a.wav,\n", "must have a 'label'. It is empty in line 2"),
        ("path,label,group\nclips/a.wav,x,g\nclips/b.flac,x,  \n", "a 'group'.*in line 3"),
        ("path,label\nclips/a.wav,x,y,z\nq,w,e,r,t\n", "must be a csv file"),
        ("path,label\nclips/a.wav,tr\u00e4ge\n".encode("latin-1"), "in UTF-8. Got other bytes"),
    ],
)
def test_refused(write, content, message):
    with pytest.raises(ValueError, match=message):
        load_csv(write(content))


def test_missing_clips_are_named(write):
    path = write("path,label\nclips/a.wav,x\nclips/gone.wav,x\n")
    with pytest.raises(DatasetNotFoundError, match=r"1 of the 2 clips .* do not exist: .*gone.wav"):
        load_csv(path)


def test_missing_table(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="There is no csv file"):
        load_csv(tmp_path / "no.csv")

"""The user's own csv files: how they are read, and errors that name the line."""

import codecs
import csv
import gzip
import io
import os
from functools import partial

import numpy as np
import pytest

import skmer.datasets
from skmer.audio import Segment
from skmer.datasets import load_csv, load_dataset, own_csv
from skmer.datasets.own import find_clips, list_clips
from skmer.datasets.tables import SEPARATORS, read_csv_parts
from skmer.exceptions import DatasetNotFoundError, InputError


@pytest.fixture
def write(tmp_path):
    """Write a csv beside three clips."""
    for name in ("a.wav", "b.flac", "c d.mp3"):
        (tmp_path / "clips" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / name).touch()

    def call(content, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
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
    assert f"3 clips listed in {path}. Columns that are not used: year." == dataset.DESCR
    assert load_dataset(path).data.tolist() == dataset.data.tolist()
    data, target = load_csv(path, return_X_y=True, as_frame=True)
    assert (data.name, target.name) == ("path", "label")


def test_a_label_that_pandas_takes_for_missing_stays(write):
    dataset = load_csv(write("path,label\nclips/a.wav,NA\nclips/b.flac,null\n"))
    assert dataset.target.tolist() == ["NA", "null"]
    assert dataset.groups is None


def test_columns_by_other_names(write):
    path = write("id,mood,file,singer,label\n1,sad,clips/a.wav,ann,x\n2,glad,clips/b.flac,bob,y\n")
    with pytest.raises(InputError, match="every column once"):
        load_csv(path, path_column="file", label_column="mood")
    path = write("id,mood,file,singer\n1,sad,clips/a.wav,ann\n2,glad,clips/b.flac,bob\n")
    dataset = load_csv(path, path_column="file", label_column="mood", group_column="singer")
    assert dataset.frame.columns.tolist() == ["path", "label", "group", "id"]
    assert (dataset.target.tolist(), dataset.groups.tolist()) == (["sad", "glad"], ["ann", "bob"])
    with pytest.raises(InputError, match=r"columns 'file' and 'label'.*lacks label"):
        load_csv(path, path_column="file")
    with pytest.raises(InputError, match="lacks artist"):
        load_csv(path, path_column="file", label_column="mood", group_column="artist")


def test_numbers_as_targets(write):
    path = write("path,arousal,valence\nclips/a.wav, 1e-1,-2\nclips/b.flac,3,.5\n")
    dataset = load_csv(path, target_columns=["valence", "arousal"])
    np.testing.assert_array_equal(dataset.target, [[-2, 0.1], [0.5, 3]])
    assert dataset.target_names == ["valence", "arousal"]
    assert dataset.frame["arousal"].dtype == float
    path = write("path;label;arousal\nclips/a.wav;x;1,5\n")
    for columns, message in (
        ("arousal", r"'arousal' .* a number, with a point .* '1,5' in line 2"),
        (["tension"], "lacks tension"),
    ):
        with pytest.raises(InputError, match=message):
            load_csv(path, target_columns=columns)


@pytest.mark.parametrize("missing", ["", "nan", "inf", "x"])
def test_a_target_that_is_no_number(write, missing):
    path = write(f"path,tempo\nclips/a.wav,1\nclips/b.flac,{missing}\n")
    with pytest.raises(InputError, match="in line 3"):
        load_csv(path, target_columns="tempo")


@pytest.mark.parametrize(("separator", "word"), list(SEPARATORS.items()))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_separators_and_marks(write, separator, word, encoding):
    rows = [["path", "label"], ["clips/a.wav", "träge, sehr"], ["clips/b.flac", "x;y|z\t"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    dataset = load_csv(write(text.getvalue(), encoding))
    assert dataset.target.tolist() == ["träge, sehr", "x;y|z"]
    assert (word in dataset.DESCR) == (separator != ",")
    assert (encoding.upper() in dataset.DESCR) == (encoding in ("utf-16", "utf-32"))


def test_excels_first_line_and_empty_columns(write):
    dataset = load_csv(write("sep=;\r\npath;label;;\r\nclips/a.wav;x;;\r\n\r\n"))
    assert dataset.frame.columns.tolist() == ["path", "label"]
    assert dataset.target.tolist() == ["x"]


def test_a_guessed_encoding(write):
    path = write("path,label\nclips/a.wav,träge\n", "latin-1")
    with pytest.warns(UserWarning, match=r"read as Windows-1252, such as 'träge'") as record:
        dataset = load_csv(path)
    assert record[0].filename == __file__
    assert dataset.target.tolist() == ["träge"]
    assert "WINDOWS-1252" in dataset.DESCR


def test_the_home_folder(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write("path,label\n~/clips/a.wav,x\n")
    assert load_csv("~/table.csv").data.tolist() == [str(tmp_path / "clips" / "a.wav")]
    (tmp_path / "~$a.wav").touch()
    path = write("path,label\n~$a.wav,x\n")
    assert load_csv(path).data.tolist() == [str(tmp_path / "~$a.wav")]


# Without the time, which would be in the name of the test.
PACKED = gzip.compress(b"path,label\nclips/a.wav,x\n", mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "path,emotion\nclips/a.wav,x\n",
            "columns 'path' and 'label'.*lacks label. Got 'path', 'emotion'",
        ),
        ("path:label\nclips/a.wav:x\n", "separated by commas"),
        ("path,label\n", "at least one clip. Got a header and no rows"),
        ("", "Got an empty file"),
        ("\n \n", "Got an empty file"),
        ("path,label\nclips/a.wav,x\n./clips/a.wav,x\n", "once.*Lines 2 and 3 list .*a.wav\\."),
        ("path,label\nclips/a.wav,x\n./clips/a.wav,y\n", "Lines 2 and 3.*a.wav as x and as y"),
        ("path,label\nclips/a.wav,\n", "must have a 'label'. It is empty in line 2"),
        ("path,label\nclips/a.wav,x\n,\n", "must have a 'path'. It is empty in line 3"),
        ("path,label,group\nclips/a.wav,x,g\nclips/b.flac,x,  \n", "a 'group'.*in line 3"),
        ("path,label\nclips/a.wav,x,\nclips/b.flac,y,\n", "Line 2 has 3"),
        ("path,label\nclips/a.wav,x\nclips/a, b.wav,x\n", "Line 3 has 3.*quotation marks"),
        ("path,label\nclips/a.wav,x\nclips/b.flac\n", "Line 3 has 1"),
        ('path,label\nclips/a.wav,"x\nclips/b.flac,y\n', "begins in line 2 is none"),
        ('path,label\nclips/a.wav,"x\nclips/b.flac,y"\n', "on one line.* begins in line 2"),
        ("path,label,label\nclips/a.wav,x,y\n", "one column 'label'. Got 2"),
        ("path,label,n,n\nclips/a.wav,x,1,2\n", "every column once. Got 'n' twice"),
        ("path,label,\nclips/a.wav,x,y\n", "Line 2 has a value in a column without one"),
        ("path,label\nclips/a.wav,x\n".encode("utf-16-le"), "zero bytes"),
        (PACKED, "zero bytes, .* in a compressed file"),
        (codecs.BOM_UTF8 + b"path,label\nclips/a.wav,tr\xe4ge\n", "UTF-8-SIG.*in line 2"),
        ("path,label\n" + f"clips/a.wav,{'x' * 900}\n" * 2, "Lines 2 and 3 list .*a.wav\\."),
        (f"path,label\nclips/a.wav,{'x' * 900}\n./clips/a.wav,{'y' * 900}\n", "as xx.*as yy"),
        (b"path,label\nclips/a.wav,\x81\xe4\n", "UTF-8 or WINDOWS-1252|WINDOWS-1252.*in line 2"),
    ],
)
def test_tables_that_cannot_be_used(write, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        load_csv(write(content))
    assert len(str(caught.value)) <= 500


def test_missing_clips_are_named(write):
    path = write("path,label\nclips/a.wav,x\nclips/gone.wav,x\n")
    with pytest.raises(DatasetNotFoundError, match=r"1 of the 2 clips .* do not exist: .*gone.wav"):
        load_csv(path)
    kept = load_csv(path, on_missing="keep")
    assert [os.path.basename(clip) for clip in kept.data] == ["a.wav", "gone.wav"]
    with pytest.raises(DatasetNotFoundError, match="1 of the 1 clips"):
        load_csv(write("path,label\nclips/gone.wav,x\n"), on_missing="keep")


def test_missing_table(tmp_path):
    with pytest.raises(DatasetNotFoundError, match="There is no csv file"):
        load_csv(tmp_path / "no.csv")


def test_segments(write, tmp_path):
    """Times are seconds or timedeltas; the parts of a file are a group where there are no others."""
    table = write(
        "file,start,end,label\nclips/a.wav,0,1.5,x\nclips/a.wav,0 days 00:00:01.5,,y\n"
        "clips/b.flac,00:00:02,3,x\n"
    )
    dataset = load_csv(table, path_column="file")
    a, b = (str(tmp_path / "clips" / name) for name in ("a.wav", "b.flac"))
    assert dataset.data.tolist() == [Segment(a, 0, 1.5), Segment(a, 1.5), Segment(b, 2, 3)]
    assert dataset.groups.tolist() == [a, a, b]
    assert dataset.frame["start"].tolist() == [0, 1.5, 2]
    assert dataset.DESCR.endswith("from start to end. The parts of a file are a group.")
    dataset = load_csv(
        write("path;from;end;label;group\nclips/a.wav;1;2;x;g\nclips/b.flac;1;2;x;h\n"),
        start_column="from",
    )
    assert dataset.data[0] == Segment(a, 1, 2)
    assert dataset.groups.tolist() == ["g", "h"]
    dataset = load_csv(
        write("path,start_ms,end,label\nclips/a.wav,500,2,x\nclips/b.flac,0,3,x\n"),
        start_column="start_ms",
    )
    assert dataset.data[0] == Segment(a, 0.5, 2)
    assert load_csv(write("path,end,label\nclips/a.wav,2,x\nclips/b.flac,3,x\n")).groups is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("clips/a.wav,2,1,x", "Line 3: .*end after it.* Got start=2 and end=1"),
        ("clips/a.wav,1900-01-01,,x", "rename what is something else. Line 3"),
        ("clips/a.wav,,1,x", "must have a 'start'. It is empty in line 3"),
        ('clips/a.wav,0,"1,5",x', "Line 3"),
        ('clips/a.wav,0,"1,5 s",x', "Line 3"),
        (
            "clips/a.wav,0.0,1.0,x",
            "must list a clip once.*Lines 2 and 3 list .*a.wav from 0 to 1 s",
        ),
    ],
)
def test_segments_that_are_none(write, row, message):
    with pytest.raises(ValueError, match=message):
        load_csv(write(f"path,start,end,label\nclips/a.wav,0,1,x\n{row}\n"))


def test_a_cell_longer_than_the_limit_of_csv(write):
    dataset = load_csv(write(f"path,label,lyrics\nclips/a.wav,x,{'la ' * 50_000}end\n"))
    assert len(dataset.frame["lyrics"][0]) == 150_003


def test_tags(write):
    path = write("path,tags,group\nclips/a.wav, epic; dark ,x\nclips/b.flac,,y\n")
    dataset = load_csv(path, tags_column="tags")
    assert dataset.target_names == ["dark", "epic"]
    assert dataset.target.tolist() == [[1, 1], [0, 0]]
    assert dataset.groups.tolist() == ["x", "y"]
    assert dataset.frame["tags"].tolist() == ["epic; dark", ""]
    frame = load_dataset(path, tags_column="tags", tags_separator="/", as_frame=True)
    assert frame.target.columns.tolist() == ["epic; dark"]
    with pytest.raises(InputError) as caught:
        load_csv(path, tags_column="tags", target_columns="group")
    assert caught.value.param == "tags_column"
    with pytest.raises(InputError, match="lacks mood"):
        load_csv(path, tags_column="mood")
    with pytest.raises(InputError, match=r"lacks label\..* Give label_column=NAME for the labels,"):
        load_csv(path)


def test_labels_that_look_like_tags(write):
    rows = "clips/a.wav,happy;energetic\nclips/b.flac,happy\nclips/c d.mp3,energetic;calm\n"
    with pytest.warns(
        UserWarning, match="The labels in .* several tags .* tags_column='label'"
    ) as record:
        assert len(load_csv(write("path,label\n" + rows)).target_names) == 3
    assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("cells", "tags"),
    [
        ("de\u0301j\u00e0;x\n d\u00e9j\u00e0 ", [["d\u00e9j\u00e0", "x"], ["d\u00e9j\u00e0"]]),
        ("\"['a', 'b, c']\"\n[]", [["a", "b, c"], []]),
        ('"[""a""]"\n"[\'90s]"', [["a"], ["['90s]"]]),
        ("'90s;a\na", [["'90s", "a"], ["a"]]),
        ("['a' 'b']\n\"['it's', 'b']\"", [["a", "b"], ["['it's', 'b']"]]),
    ],
)
def test_forms_of_tags(write, cells, tags):
    first, second = cells.split("\n")
    dataset = load_csv(
        write(f"path,tags\nclips/a.wav,{first}\nclips/b.flac,{second}\n"), tags_column="tags"
    )
    names = np.array(dataset.target_names)
    assert [sorted(names[row == 1]) for row in dataset.target] == [sorted(one) for one in tags]


def test_tags_that_cannot_be_meant(write):
    path = write('path,tags\nclips/a.wav,"a, b"\nclips/b.flac,b\n')
    with pytest.warns(UserWarning, match="has the separator ';'.* separated by ','"):
        load_csv(path, tags_column="tags")
    path = write("path,tags\nclips/a.wav,dark & epic\nclips/b.flac,dark\n")
    with pytest.warns(UserWarning, match="has the separator ';'.* separated by '&'"):
        load_csv(path, tags_column="tags")
    # A name that has the mark is one tag, without a warning.
    path = write("path,tags\nclips/a.wav,Rock & Roll\nclips/b.flac,calm\n")
    assert load_csv(path, tags_column="tags").target_names == ["Rock & Roll", "calm"]
    path = write("path,tags\nclips/a.wav,Happy;happy\nclips/b.flac,\n")
    with pytest.warns(UserWarning, match="'Happy' and 'happy'"):
        load_csv(path, tags_column="tags")
    with pytest.raises(InputError, match="must be a mark") as caught:
        load_csv(path, tags_column="tags", tags_separator="")
    assert caught.value.param == "tags_separator"
    with pytest.raises(InputError, match="must have a tag of some clip"):
        load_csv(write("path,tags\nclips/a.wav,\n"), tags_column="tags")
    with pytest.warns(UserWarning, match="look like several tags"):
        load_csv(write("path,label\nclips/a.wav,happy;calm\nclips/b.flac,sad;dark\n"))


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("onset,offset", "'onset', 'offset'"),
        ("Start,End", "'Start', 'End'"),
        ("start_ms,end_ms", "'start_ms', 'end_ms'"),
        ("onset,duration", "'onset', 'duration'"),
        ("t0,t1", "'t0', 't1'"),
        ("Begin Time (s),x", r"'Begin Time \(s\)'"),
        ("start_sample,end_sample", "'start_sample', 'end_sample'"),
        ("tmin,tmax", "'tmin', 'tmax'"),
    ],
)
def test_columns_that_look_like_segments_are_named(write, header, named):
    path = write(f"path,label,{header}\nclips/a.wav,x,0,1\n")
    with pytest.warns(UserWarning, match=f"{named} look like parts of files, and are not used"):
        load_csv(path)
    with pytest.warns(UserWarning, match=f"{named} look like parts of files, and are not used"):
        find_clips([path])


@pytest.mark.parametrize(
    ("header", "start", "rows"),
    [
        ("start,duration", None, [".1,.2", "0:00:01,1s", "2,"]),
        ("onset_ms,Duration_ms", "onset_ms", ["100,200", "1000,1000", "2000,"]),
        ("start,length (s)", None, [".1,.2", "1,1", "2,"]),
    ],
)
def test_starts_and_durations_are_segments(write, header, start, rows):
    lines = "".join(f"clips/a.wav,x,{row}\n" for row in rows)
    dataset = load_csv(write(f"path,label,{header}\n{lines}"), start_column=start)
    ends = [(clip.start, clip.end) for clip in dataset.data]
    assert ends == [(0.1, 0.3), (1.0, 2.0), (2.0, None)]
    assert "not used" not in dataset.DESCR
    with pytest.raises(InputError, match=r"Line 2: A segment must have a start.* end=-1"):
        load_csv(write("path,label,start,duration\nclips/a.wav,x,0,-1\n"))


@pytest.mark.parametrize(("header", "named"), [("begin,end", "begin"), ("start,stop", "stop")])
def test_segments_of_which_one_limit_only_is_known(write, header, named):
    """They would be read from the start, or to the end, of the file."""
    path = write(f"path,label,{header}\nclips/a.wav,x,0,1\n")
    for read in (load_csv, lambda path: find_clips([path])):
        with pytest.raises(InputError, match=f"'{named}' look like parts of files"):
            read(path)


def test_no_word_on_columns_that_are_used_or_are_of_the_file(write):
    load_csv(write("path,label,duration\nclips/a.wav,x,9\n"))
    path = write("path,label,onset,offset\nclips/a.wav,x,0,1\nclips/a.wav,x,1,2\n")
    dataset = load_csv(path, start_column="onset", end_column="offset")
    assert [str(clip).rsplit("/")[-1] for clip in dataset.data] == [
        "a.wav from 0 to 1 s", "a.wav from 1 to 2 s"
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"list a clip once.*'onset', 'offset' look like parts"):
        load_csv(path)


def test_paths_of_windows(write, tmp_path):
    dataset = load_csv(write("path,label\nclips\\a.wav,x\n"))
    assert dataset.data.tolist() == [str(tmp_path / "clips" / "a.wav")]


def test_names_from_a_mac(write, tmp_path):
    """Letters with marks are two letters in paths, in the header, or in what is asked for."""
    (tmp_path / "Zo\u00e9.wav").touch()
    for header, asked in (("gemu\u0308t", "gem\u00fct"), ("gem\u00fct", "gemu\u0308t")):
        table = write(f"path,{header}\nZoe\u0301.wav,x\n")
        dataset = load_csv(table, label_column=asked)
        assert dataset.data.tolist() == [str(tmp_path / "Zo\u00e9.wav")]
        assert dataset.target.tolist() == ["x"]


def test_a_header_longer_than_the_limit_of_csv(write):
    dataset = load_csv(write(f"path,label,{'x' * 150_000}\nclips/a.wav,x,1\n"))
    assert len(dataset.frame.columns[-1]) == 150_000


def test_find_clips_is_private_now(write, tmp_path):
    path = write("path,mood\nclips/a.wav,x\n")
    with pytest.warns(DeprecationWarning, match="find_clips is deprecated"):
        assert skmer.datasets.find_clips is find_clips
    columns, left_out = find_clips([path, tmp_path / "clips", f"{tmp_path}/clips/*.flac"])
    assert [os.path.basename(clip) for clip in columns["path"]] == ["a.wav", "b.flac", "c d.mp3"]
    assert columns["mood"] == ["x", None, None]
    assert left_out == []
    for inputs in ("a.wav", 3, [tmp_path / "none.wav"]):
        with pytest.raises(InputError) as caught:
            find_clips(inputs)
        assert caught.value.param == "inputs"


def test_clips_of_a_csv_are_read_a_part_at_a_time(tmp_path, monkeypatch):
    """What is listed need not fit into the memory; it is checked first, and read again."""
    monkeypatch.setattr(own_csv, "read_csv_parts", partial(read_csv_parts, size=3))
    lines = [f"{i}.wav,{i},artist {i // 2}" for i in range(8)]
    path = tmp_path / "clips.csv"
    path.write_text("\n".join(["path,sr,artist", *lines]))
    listing, left_out = list_clips([path], taken=["sr"])
    assert (listing.n_clips, listing.columns, left_out) == (8, ("input_sr", "artist"), [])
    for _ in range(2):
        clips, cells = zip(*listing)
        assert clips == tuple(str(tmp_path / f"{i}.wav") for i in range(8))
        assert cells[7] == {"input_sr": "7", "artist": "artist 3"}
    both, _ = list_clips([path, path], taken=["sr"])
    assert list(both) == list(listing)
    path.write_text("\n".join(["path,sr,artist", *lines, lines[0]]))
    with pytest.raises(InputError, match=r"must list a clip once. Lines 2 and 10 list the same"):
        list_clips([path])
    path.write_text("\n".join(["path,sr,artist", *lines, "9.wav,1"]))
    with pytest.raises(InputError, match="Line 10 has 2"):
        list_clips([path])

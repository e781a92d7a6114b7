"""Targets over time in csv files, wide and long, with gaps and mistakes."""

import numpy as np
import pytest

from skmer.datasets import load_csv
from skmer.exceptions import InputError


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file of the folder, in which the clips a to c are."""
    for name in "abc":
        (tmp_path / f"{name}.wav").touch()

    def write(text, name="table.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


LONG = (
    "path,group,time,arousal,valence\n"
    "b.wav,bob,1.0,4,40\na.wav,ann,0.5,1,10\nb.wav,bob,0.5,3,30\na.wav,ann,1.0,2,20\n"
    "b.wav,bob,1.5,,50\n"
)


def test_a_row_a_moment(write):
    found = load_csv(write(LONG), target_columns=["arousal", "valence"], frames=True)
    assert [path[-5:] for path in found.data] == ["b.wav", "a.wav"]
    assert found.groups.tolist() == ["bob", "ann"]
    assert found.target_names == ["arousal", "valence"]
    # The moment without an arousal counts for neither.
    assert list(found.target["valence"]) == [0.5, 1.0]
    assert found.target["arousal"].to_numpy().tolist() == [[3, 4], [1, 2]]
    assert found.target["valence"].to_numpy().tolist() == [[30, 40], [10, 20]]
    assert found.frame["arousal"].tolist() == [3.5, 1.5]
    assert "4 moments; 1 that lacks one of the targets is left out." in found.DESCR
    X, y = load_csv(write(LONG), target_columns="valence", frames=True, return_X_y=True)
    assert len(X) == 2
    assert np.isnan(y["valence"].iloc[1, 2])
    text = LONG.replace("time", "at_ms").replace("0.5,", "500,").replace("1.0,", "1000,")
    found = load_csv(write(text), target_columns=["valence"], frames=True, time_column="at_ms")
    assert list(found.target["valence"]) == [0.0015, 0.5, 1.0]


def test_a_column_a_time(write):
    one = write("path;sample_1000ms;sample_500ms\na.wav;2;1\nb.wav;;3\n")
    (curve,) = load_csv(one, target_columns="arousal", frames=True).target.values()
    assert list(curve) == [0.5, 1.0]
    assert np.array_equal(curve, [[1, 2], [3, np.nan]], equal_nan=True)
    head = "path,arousal_sample_500ms,arousal_1s,valence_0.5s,valence_1000ms,arousal_mean\n"
    several = write(head + "a.wav,1,2,10,20,7\n")
    found = load_csv(several, target_columns=["valence", "arousal"], frames=True)
    assert found.target["valence"].to_numpy().tolist() == [[10, 20]]
    assert found.target["arousal"].to_numpy().tolist() == [[1, 2]]


def test_times_of_columns_are_numbers_in_any_form(write):
    table = write("path,v_-500ms,v_1e3ms,v_+2S\na.wav,1,2,3\n")
    (curve,) = load_csv(table, target_columns="v", frames=True).target.values()
    assert curve.loc[curve.index[0]].to_dict() == {-0.5: 1, 1.0: 2, 2.0: 3}


def test_a_published_file_for_each_target(write):
    write("song_id\tsample_500ms\tsample_1000ms\n2\t3\t4\n1\t1\t2\n9\t0\t0\n", "arousal.csv")
    write("musicId,frameTime,Valence(mean)\n1,0.5,10\n1,1.0,20\n2,0.5,30\n2,1.0,40\n", "v.csv")
    clips = write("path,group,song_id,musicId\na.wav,ann,1,1\nb.wav,bob,2,2\n")
    targets = {"arousal": "arousal.csv", "valence": "v.csv#Valence(mean)"}
    found = load_csv(clips, target_columns=targets, frames=True)
    assert found.target["arousal"].to_numpy().tolist() == [[1, 2], [3, 4]]
    assert found.target["valence"].to_numpy().tolist() == [[10, 20], [30, 40]]
    assert "1 row of other clips is not used" in found.DESCR
    assert found.frame["song_id"].tolist() == ["1", "2"]
    # Without such a column, songs are the names of the files.
    write("song,sample_500ms\nb,3\na,1\n", "named.csv")
    found = load_csv(clips, target_columns={"arousal": "named.csv"}, frames=True)
    assert found.target["arousal"].to_numpy().tolist() == [[1], [3]]


def test_sums_of_steps_are_the_moments_of_other_tables(write):
    write(f"song,time,arousal\na,{0.1 + 0.2},1\na,0.6,2\n", "a.csv")
    write("song,sample_300ms,sample_600ms\na,10,20\n", "v.csv")
    targets = {"arousal": "a.csv", "valence": "v.csv"}
    found = load_csv(write("path\na.wav\n"), target_columns=targets, frames=True)
    assert list(found.target["arousal"]) == [0.3, 0.6]
    assert found.target["valence"].to_numpy().tolist() == [[10, 20]]


def test_the_moments_of_a_clip_are_in_one_part_of_its_file(write):
    parts = "path,start,end,time,arousal\na.wav,0,5,1,3\na.wav,5,9,6,4\n"
    with pytest.raises(InputError, match=r"in one end\. Those of the clip in line 2"):
        load_csv(write(parts), target_columns="arousal", frames=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("b.wav,bob,1.0,4", "b.wav,bob,1.0,high", "must be a number.* 'high' in line 2"),
        ("b.wav,bob,1.0,4", "b.wav,bob,,4", "'time' .* must be a number.* '' in line 2"),
        ("b.wav,bob,1.0,4", "b.wav,bob,0.5,4", "every time of a 'path' once. Line 4"),
        ("b.wav,bob,1.0,4", "b.wav,ann,1.0,4", "in one group. Those of the clip in line 2"),
        ("b.wav,bob,1.0,4", "c.wav,bob,1.0,", "'?arousal and valence.* line 2 has none"),
        ("arousal", "energy", "lacks arousal"),
        ("time", "moment", "must have 'arousal' over time: columns such as 'arousal_15000ms'"),
    ],
)
def test_mistakes_name_the_line(write, old, new, said):
    with pytest.raises(InputError, match=said):
        load_csv(write(LONG.replace(old, new)), target_columns=["arousal", "valence"], frames=True)


def test_what_does_not_go_together(write):
    path = write(LONG)
    for options in ({"frames": True}, {"target_columns": {"a": "b.csv"}}, {"time_column": "time"}):
        with pytest.raises(InputError, match=r"target_columns|frames=True"):
            load_csv(path, **options)
    clips = write("path\na.wav\nb.wav\n", "clips.csv")
    with pytest.raises(InputError, match=r"There is no .*nowhere\.csv"):
        load_csv(clips, target_columns={"arousal": "nowhere.csv"}, frames=True)
    with pytest.raises(InputError, match="Where a row is a moment, give frames=True"):
        load_csv(path, target_columns=["valence"])
    write("song_id,sample_500ms\nb,3\n", "arousal.csv")
    with pytest.raises(InputError, match=r"by its 'song_id'\. It lacks a, 1 of 2"):
        load_csv(clips, target_columns={"arousal": "arousal.csv"}, frames=True)

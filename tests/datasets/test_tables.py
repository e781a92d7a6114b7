"""Csv files: every row as it was written, or an error that names its line."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.datasets.tables import SEPARATORS, read_csv_file
from skmer.exceptions import InputError

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=9)


@given(
    rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=9),
    separator=st.sampled_from(list(SEPARATORS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_is_written_is_read(tmp_path_factory, rows, separator, encoding):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with open(path, "w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([("path", "label"), *rows])
    read = read_csv_file(path, ["path", "label"])
    assert read.frame.to_numpy().tolist() == [[cell.strip() for cell in row] for row in rows]
    assert read.lines == list(range(2, 2 + len(rows)))


@given(
    n_values=st.lists(st.integers(1, 5), min_size=1, max_size=9),
)
def test_no_row_is_shifted_or_dropped(tmp_path_factory, n_values):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    rows = [",".join(f"{row}.{i}" for i in range(n)) for row, n in enumerate(n_values)]
    path.write_text("\n".join(["path,label,group", *rows]))
    odd = [line for line, n in enumerate(n_values, 2) if n != 3]
    if odd:
        with pytest.raises(InputError, match=f"Line {odd[0]} has"):
            read_csv_file(path, ["path"])
    else:
        assert read_csv_file(path, ["path"]).frame["path"].tolist() == [
            f"{row}.0" for row in range(len(n_values))
        ]

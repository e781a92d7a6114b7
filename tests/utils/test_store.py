"""Tables and a manifest are read back as they were, or not at all."""

import json
import tempfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skmer.exceptions import InputError
from skmer.utils.store import read_store, write_store

TEXTS = ["=1+1", "'=1", "''@", "'", "+", "-1", "'-1", "", "NA", "nan", "1e5", "-", "a,b", '"']
CELLS = st.lists(st.sampled_from([*TEXTS, " a", "\r", "a\nb", None]) | st.text(), min_size=3)
TABLE = pd.DataFrame({"name": ["a", None], "score": [0.1, np.nan], "n": [1, 2]})
MANIFEST = {"rows": [1, 2], "name": "x", "nested": {"a": None}}


def write(folder):
    return write_store(folder, {"t": TABLE}, MANIFEST, kind="Toy")


def read(folder):
    return read_store(folder, ["t"], kind="Toy")


@given(CELLS, st.lists(st.floats(), min_size=3, max_size=3), st.sampled_from([*TEXTS, "b"]))
def test_what_is_read_is_what_was_written(texts, numbers, name):
    table = pd.DataFrame(
        {
            f"texts{name}": pd.Series(texts[:3], dtype=object),
            "doubles": numbers,
            "floats": np.array([0.1, 1e-30, np.nan], np.float32),
            "flags": [True, False, True],
            "whole": np.array([-(2**62), 0, 3]),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        write_store(folder, {"t": table}, {}, kind="Toy")
        (found,), _ = (tuple(part.values()) for part in read(folder))
    pd.testing.assert_frame_equal(found, table, check_exact=True)


def test_the_manifest_and_further_files(tmp_path):
    folder = write_store(
        tmp_path / "a" / "b",
        {"t": TABLE},
        MANIFEST,
        kind="Toy",
        files={"page": type(tmp_path).touch},
    )
    assert {path.name for path in folder.iterdir()} == {"t.csv", "manifest.json", "page"}
    tables, manifest = read_store(folder, ["t"], optional=["maps"], kind="Toy")
    assert (list(tables), manifest) == (["t"], MANIFEST)
    with pytest.raises(InputError, match=r"is a Toy; read it with Toy\.load"):
        read_store(folder, ["t"], kind="Other")


def test_a_failed_writer_changes_nothing(tmp_path):
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="JSON"):
        write_store(tmp_path, {"t": TABLE[:1]}, {"x": np.nan}, kind="Toy")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_every_cut_or_flipped_file_is_an_error(tmp_path):
    write(tmp_path)
    rng = np.random.default_rng(0)
    for name, message in [("t.csv", "is not what was saved"), ("manifest.json", "manifest of a")]:
        whole, messages = (tmp_path / name).read_bytes(), []
        for at, bit in zip(rng.integers(len(whole), size=60), rng.integers(8, size=60)):
            flipped = bytearray(whole)
            flipped[at] ^= 1 << bit
            (tmp_path / name).write_bytes(flipped)
            try:
                found = read(tmp_path)[1]
            except InputError as error:
                messages.append(str(error))
            else:
                # White space between the entries of the manifest may change.
                assert (name, found) == ("manifest.json", MANIFEST)
        assert messages
        assert all(message in found for found in messages)
        for cut in (b"", whole[:-9]):
            (tmp_path / name).write_bytes(cut)
            with pytest.raises(InputError, match=message):
                read(tmp_path)
        (tmp_path / name).write_bytes(whole)
    (tmp_path / "t.csv").unlink()
    with pytest.raises(InputError, match=r"t\.csv' cannot be read \(No such file"):
        read(tmp_path)
    with pytest.raises(InputError, match="There is no result in"):
        read(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("tables",), []),
        (("tables", "t"), None),
        (("tables", "t", "columns"), 3),
        (("tables", "t", "columns", 0), {}),
        (("tables", "t", "columns", 1, "dtype"), "no type"),
        (("result",), ["x" * 900]),
    ],
)
def test_a_manifest_that_was_edited_is_an_error(tmp_path, where, value):
    path = write(tmp_path) / "manifest.json"
    manifest = part = json.loads(path.read_text())
    # Without the checksum, as in a result of the first versions.
    del manifest["sha256"]
    path.write_text(json.dumps(manifest))
    assert read(tmp_path)[1] == MANIFEST
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"not the manifest of a result|is a \['xx") as caught:
        read(tmp_path)
    assert len(str(caught.value)) <= 500

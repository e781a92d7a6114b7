"""How a result is written to files, and read back exactly as it was."""

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from skmer.exceptions import InputError
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import file_digest, settings_digest
from skmer.utils.files import (
    atomic_folder,
    check_output_folder,
    escape_formula,
    expand_path,
    open_placed,
    unescape_formula,
)
from skmer.utils.messages import cut_middle

# A result of an earlier skmer has no maps.
NEEDED, MAPS = ("scores", "predictions"), "maps"
MANIFEST, REPORT = "manifest.json", "report.html"
# In the manifest: the SHA-256 of everything else in it.
_CHECKSUM = "sha256"


def write_result(folder, tables: dict, manifest: dict, *, kind: str, report: Callable) -> Path:
    """Write everything of a result into a folder, or leave what is there as it is."""
    folder = check_output_folder(folder)
    with atomic_folder(folder) as whole:
        described = {
            name: write_table(table, whole / f"{name}.csv") for name, table in tables.items()
        }
        report(whole / REPORT)
        text = to_json(_with_checksum({"result": kind, "tables": described} | manifest))
        (whole / MANIFEST).write_text(text, encoding="utf-8")
    return folder


def read_result(folder, *, kind: str) -> tuple[dict, dict]:
    """Return tables by name and the manifest of what `write_result` wrote."""
    folder = expand_path(folder)
    found = _read_manifest(folder)
    while True:
        try:
            return _read_described(folder, found[0], kind)
        except InputError:
            # Another process may have saved a result while this one was read.
            before, found = found, _read_manifest(folder)
            if found == before:
                raise


def _read_manifest(folder: Path) -> tuple[bytes, int, int]:
    """Return what the manifest says, and what tells it from one that says the same."""
    try:
        with open_placed(folder, MANIFEST) as file:
            status = os.fstat(file.fileno())
            return file.read(), status.st_ino, status.st_mtime_ns
    except FileNotFoundError:
        raise InputError(
            f"There is no result in '{folder}': it has no file {MANIFEST}; evaluate and save there."
        ) from None
    except OSError as error:
        raise _not_readable(folder / MANIFEST, error) from error


def _read_described(folder: Path, content: bytes, kind: str) -> tuple[dict, dict]:
    with unless_changed(folder):
        manifest = json.loads(content)
        # A result of an earlier skmer has none.
        checksum = manifest.pop(_CHECKSUM, None)
        if checksum not in (None, settings_digest(manifest)):
            raise ValueError
        found, described = manifest.pop("result"), manifest.pop("tables")
        if found != kind:
            found = cut_middle(str(found), 50)
            raise InputError(f"The result in '{folder}' is a {found}; read it with {found}.load.")
        there = [name for name in (*NEEDED, MAPS) if name in NEEDED or name in described]
        tables = {name: read_table(folder, f"{name}.csv", described[name]) for name in there}
    return tables, manifest


@contextmanager
def unless_changed(folder: Path) -> Iterator[None]:
    """Whatever a manifest ends in that somebody changed is one sentence."""
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        raise _no_manifest(folder) from error


def _no_manifest(folder: Path) -> InputError:
    return InputError(
        f"The file '{folder / MANIFEST}' is not the manifest of a result, or was changed or cut "
        "since it was saved; evaluate and save again."
    )


def _not_readable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"The file '{path}' cannot be read ({error.strerror or error}); evaluate and save again, "
        "or into another folder."
    )


def _with_checksum(manifest: dict) -> dict:
    # Of what will be read: JSON has lists only, and texts as keys.
    return manifest | {_CHECKSUM: settings_digest(json.loads(to_json(manifest)))}


def to_json(manifest: dict) -> str:
    """Write a manifest as JSON, one entry a line, but lists of rows on a single line."""
    text = json.dumps(manifest, indent=2, allow_nan=False)
    return re.sub(r"\[[\d,\s]+\]", lambda rows: re.sub(r"\s+", " ", rows[0]), text) + "\n"


def write_table(table, path: Path) -> dict:
    """Write a table as csv; return what it takes to read it back: checksum, and types.

    A cell of text that is missing is written as a word that no cell of its column has, and a text
    that a spreadsheet would take for a formula with an apostrophe in front.
    """
    columns, written = [], {}
    for name, column in table.items():
        columns.append({"name": name, "dtype": str(column.dtype)})
        if column.dtype.kind not in "biuf":
            column = column.astype(object).map(escape_formula)
            missing, word = column.isna(), ""
            while (column == word).any():
                word += "-"
            columns[-1]["missing"] = word
            columns[-1]["disarmed"] = True
            column = column.astype(object).where(~missing, word)
        written[name] = column
    type(table)(written).rename(columns=escape_formula).to_csv(
        path, index=False, lineterminator="\n", encoding="utf-8"
    )
    return {"sha256": file_digest(path), "n_rows": len(table), "columns": columns}


def read_table(folder: Path, name: str, described: dict):
    """Read back what `write_table` wrote, types and missing cells included."""
    import pandas as pd

    try:
        with open_placed(folder, name) as file:
            content = file.read()
    except OSError as error:
        raise _not_readable(folder / name, error) from error
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise InputError(
            f"The file '{folder / name}' is not what was saved: it was changed or cut since; "
            "evaluate and save again."
        )
    columns = {column["name"]: column for column in described["columns"]}
    table = pd.read_csv(
        io.BytesIO(content),
        names=list(columns),
        header=0,
        dtype=object,
        na_filter=False,
        encoding="utf-8",
        lineterminator="\n",
    )
    for name, column in columns.items():
        table[name] = _typed(table[name], column)
    return table


def _typed(cells, column: dict):
    """Return the cells of a column, read as text, as what they were."""
    if "missing" in column:
        missing = cells == column["missing"]
        # The texts of an earlier skmer are as they were.
        texts = cells.map(unescape_formula) if column.get("disarmed") else cells
        return texts.where(~missing, None).astype(column["dtype"])
    if column["dtype"] == "bool":
        return cells == "True"
    # Python reads the very number that was written, to the last bit.
    return cells.where(cells != "", "nan").astype(column["dtype"])

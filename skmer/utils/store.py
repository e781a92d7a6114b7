"""A folder of tables and a manifest, read back exactly as it was, or an error."""

import hashlib
import io
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path

from skmer.exceptions import InputError
from skmer.utils import cache, digest
from skmer.utils import files as paths

MANIFEST = "manifest.json"
# In the manifest: the SHA-256 of everything else in it.
_CHECKSUM = "sha256"


def write_store(folder, tables: dict, manifest: dict, *, kind: str, files=None) -> Path:
    """Write tables and a manifest into a folder, all of them or none.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; files of the same names in it are replaced.
    tables : mapping of str to pandas.DataFrame
        By name; each becomes ``<name>.csv``. Texts that a spreadsheet would run as a formula have
        an apostrophe in front, which `read_store` removes.
    manifest : mapping
        What JSON can hold; the digests of the tables are added.
    kind : str
        What is stored, for `read_store`.
    files : mapping of str to callable, default=None
        Further files by name, each written by a function of its path; they are not read back.

    Returns
    -------
    folder : pathlib.Path
        The folder.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from skmer.utils.store import read_store, write_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_store(folder, {"t": pd.DataFrame({"a": [1]})}, {"n": 2}, kind="toy")
    ...     tables, manifest = read_store(folder, ["t"], kind="toy")
    >>> tables["t"]["a"].tolist(), manifest
    ([1], {'n': 2})
    """
    folder = paths.check_output_folder(folder)
    with paths.atomic_folder(folder) as temporary:
        described = {
            name: write_table(table, temporary / f"{name}.csv") for name, table in tables.items()
        }
        for name, write in (files or {}).items():
            write(temporary / name)
        whole = {"result": kind, "tables": described, **manifest}
        # The digest is of what will be read: JSON has lists only, and texts as keys.
        whole[_CHECKSUM] = digest.settings_digest(json.loads(to_json(whole)))
        (temporary / MANIFEST).write_text(to_json(whole), encoding="utf-8")
    return folder


def read_store(folder, needed, *, kind: str, optional=()) -> tuple[dict, dict]:
    """Read what `write_store` wrote.

    Parameters
    ----------
    folder : path-like
        Where it was written.
    needed, optional : sequence of str
        The names of the tables; optional ones are left out where they were not written.
    kind : str
        As it was written.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        With the same values and types.
    manifest : dict
        As it was written.

    Raises
    ------
    InputError
        Where there is none of that kind, or a file was changed or cut.
    """
    folder = paths.expand_path(folder)
    found = _read_manifest(folder)
    while True:
        try:
            return _read_described(folder, found[0], needed, optional, kind)
        except InputError:
            # Another process may have replaced the files while they were read.
            before, found = found, _read_manifest(folder)
            if found == before:
                raise


def _read_manifest(folder: Path) -> tuple[bytes, int, int]:
    """Return the manifest, and what distinguishes its file from another of the same content."""
    try:
        with paths.open_placed(folder, MANIFEST) as file:
            status = os.fstat(file.fileno())
            return file.read(), status.st_ino, status.st_mtime_ns
    except FileNotFoundError:
        raise InputError(
            f"There is no result in '{folder}': it has no file {MANIFEST}; save one there first."
        ) from None
    except OSError as error:
        raise _unreadable(folder / MANIFEST, error) from error


def _read_described(folder: Path, content: bytes, needed, optional, kind) -> tuple[dict, dict]:
    with manifest_errors(folder):
        manifest = json.loads(content)
        # A result of an earlier skmer has no checksum.
        checksum = manifest.pop(_CHECKSUM, None)
        if checksum not in (None, digest.settings_digest(manifest)):
            raise ValueError
        found, described = manifest.pop("result"), manifest.pop("tables")
        if found != kind:
            raise InputError(f"The result in '{folder}' is a {found}; read it with {found}.load.")
        names = [*needed, *(name for name in optional if name in described)]
        tables = {name: read_table(folder, f"{name}.csv", described[name]) for name in names}
    return tables, manifest


@contextmanager
def manifest_errors(folder: Path):
    """Convert every error that a changed manifest causes inside the block to one sentence."""
    try:
        yield
    except InputError:
        raise
    except cache.DAMAGE as error:
        raise InputError(
            f"The file '{Path(folder, MANIFEST)}' is not the manifest of a result, or was changed "
            "or cut since it was saved; save the result again."
        ) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"The file '{path}' cannot be read ({error.strerror or error}); save the result again, or "
        "into another folder."
    )


def to_json(manifest: dict) -> str:
    """Return a manifest as JSON, one entry a line, but lists of rows on a single line."""
    text = json.dumps(manifest, indent=2, allow_nan=False)
    return re.sub(r"\[[\d,\s]+\]", lambda rows: re.sub(r"\s+", " ", rows[0]), text) + "\n"


def write_table(table, path: Path) -> dict:
    """Write a table as csv; return what `read_table` needs: checksum, and types.

    A missing cell of text is written as a word that no cell of its column has.
    """
    columns, written = [], {}
    for name, column in table.items():
        columns.append({"name": name, "dtype": str(column.dtype)})
        if column.dtype.kind not in "biuf":
            column = column.astype(object).map(paths.escape_formula)
            missing, word = column.isna(), ""
            while (column == word).any():
                word += "-"
            columns[-1] |= {"missing": word, "escaped": True}
            column = column.astype(object).where(~missing, word)
        written[name] = column
    escaped = type(table)(written).rename(columns=paths.escape_formula)
    escaped.to_csv(path, index=False, lineterminator="\n")
    return {"sha256": digest.file_digest(path), "n_rows": len(table), "columns": columns}


def read_table(folder: Path, name: str, described: dict):
    """Read back what `write_table` wrote, types and missing cells included."""
    import pandas as pd

    try:
        with paths.open_placed(folder, name) as file:
            content = file.read()
    except OSError as error:
        raise _unreadable(folder / name, error) from error
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise InputError(
            f"The file '{folder / name}' is not what was saved: it was changed or cut since; "
            "save the result again."
        )
    columns = {column["name"]: column for column in described["columns"]}
    as_text: dict = {"dtype": object, "na_filter": False, "lineterminator": "\n"}
    table = pd.read_csv(io.BytesIO(content), names=list(columns), header=0, **as_text)
    for name, column in columns.items():
        table[name] = _typed(table[name], column)
    return table


def _typed(cells, column: dict):
    """Return the cells of a column, read as text, with the type that they had."""
    if "missing" in column:
        missing = cells == column["missing"]
        # Version 0.2 wrote "disarmed", and versions before it did not escape.
        is_escaped = column.get("escaped") or column.get("disarmed")
        texts = cells.map(paths.unescape_formula) if is_escaped else cells
        return texts.where(~missing, None).astype(column["dtype"])
    if column["dtype"] == "bool":
        return cells == "True"
    # Python reads exactly the number that was written.
    return cells.where(cells != "", "nan").astype(column["dtype"])

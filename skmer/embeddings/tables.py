"""Tables of embeddings on disk: their columns, and how each kind is written and read again."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np

from skmer.embeddings.stored import StoredTable, open_table, settings_beside
from skmer.exceptions import IgnoredCacheWarning, InputError, InputTypeError, bounded
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import file_digest
from skmer.utils.files import atomic_write, escape_formula
from skmer.utils.messages import escape_undecodable

# What a table states of a clip, and of a frame, beside the path and the user's own columns.
FACTS = dict.fromkeys(("digest", "duration", "sr", "error", "notes"), "string")
FACTS |= {"duration": "double", "sr": "int64"}
FRAME_FACTS = {"frame": "int64", "time": "double"}
# What is -1 in a npz file where it is missing.
_FILLED = ("sr", "frame")
# Arrays that a npz file holds beside the columns, and the column of lists.
_ARRAYS = ("columns", "embedding", "embeddings", "settings")
# Rows are written, and read again, in batches of about so many, which bounds the memory.
_BATCH_BYTES = 2**25
_BATCH_ROWS = 2**14


@dataclass(frozen=True)
class ClipRows:
    """One clip that is done: what is stated of it, and its rows, (n_rows, n_columns).

    A clip that failed has an error and no rows. `is_new` is False where nothing was computed, and
    `cache_error` is why the cache could not be used.
    """

    digest: str | None
    duration: float | None
    sr: int | None
    error: str | None
    notes: str | None
    rows: np.ndarray
    is_new: bool = True
    cache_error: str | None = None


# A clip of a table: its row in the user's own columns (None = missing), its name, and itself.
Placed = tuple[int | None, str | None, ClipRows]


def check_columns(columns: Mapping | None, n_clips: int | None, names: list[str]) -> dict:
    """Return the user's own columns as arrow arrays; `names` are those of the numbers."""
    checked = {}
    taken = {"path", *FACTS, *FRAME_FACTS, *_ARRAYS, *names}
    for name, values in (columns or {}).items():
        if not isinstance(name, str) or not name or "\0" in name:
            raise InputTypeError(
                "The names of 'columns' must be texts of at least one letter, without null "
                f"characters. Got {name!r}."
            )
        if name in taken:
            raise InputError(f"A column of the table is called {name!r} already; rename yours.")
        if n_clips is None:
            raise InputError(
                "The 'columns' need a sequence of paths: of an iterator, and of an archive, only "
                "the end shows how many clips it has.",
                param="columns",
            )
        checked[name] = _as_arrow(name, list(values))
        if len(checked[name]) != n_clips:
            raise InputError(
                f"The column {name!r} must have one entry for each of the {n_clips} paths. "
                f"Got {len(checked[name])}."
            )
    return checked


def _as_arrow(name: str, values: list):
    """Return texts, integers, floats or truth values as an arrow array; what is missing is null."""
    import pandas as pd
    import pyarrow as pa

    values = [escape_undecodable(value) if isinstance(value, str) else value for value in values]
    try:
        array = pa.array(pd.Series(values, dtype=object), from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        raise InputTypeError(
            f"The column {name!r} must hold texts, integers, floats or truth values ({error})."
        ) from error
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_string(kind):
        return array.cast("string")
    # No kind of table but Parquet can hold an integer that is missing.
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and array.null_count):
        return array.cast("double")
    if pa.types.is_integer(kind) or (pa.types.is_boolean(kind) and not array.null_count):
        return array
    raise InputTypeError(
        f"The column {name!r} must hold texts, integers, floats, or truth values of which none is "
        f"missing. Got values of type {kind}."
    )


def table_schema(
    kinds: Mapping[str, str], names: list[str], settings: dict, *, frames: bool, layout: str
):
    """Return the arrow schema of a table: facts, numbers, and the settings in its metadata.

    `kinds` has the types of the user's own columns.
    """
    import pyarrow as pa

    facts = {"path": "string", **kinds, **FACTS, **(FRAME_FACTS if frames else {})}
    numbers = dict.fromkeys(names, pa.float32())
    if layout == "list":
        numbers = {"embedding": pa.list_(pa.float32(), len(names))}
        settings = settings | {"columns": names}
    settings = settings | {"own": dict(kinds)}
    return pa.schema([*facts.items(), *numbers.items()], metadata={"skmer": json.dumps(settings)})


def batches(
    clips: Iterable["Placed"],
    columns: Mapping,
    kinds: Mapping[str, str],
    width: int,
    frame_times: Callable[[int], np.ndarray] | None,
) -> Iterator[tuple]:
    """Join clips to batches of facts, as an arrow table, and numbers, (n_rows, width).

    Each clip comes with its name, and with its row in the user's own columns. With `frame_times` a
    row is a frame. A clip without rows, which failed, is one row of NaN.
    """
    held: list[Placed] = []
    n_rows = n_bytes = 0
    for one in clips:
        held.append(one)
        n_rows += len(one[2].rows)
        n_bytes += one[2].rows.nbytes
        if len(held) + n_rows >= _BATCH_ROWS or n_bytes >= _BATCH_BYTES:
            yield _batch(held, columns, kinds, width, frame_times)
            held, n_rows, n_bytes = [], 0, 0
    if held:
        yield _batch(held, columns, kinds, width, frame_times)


def _batch(held, columns, kinds, width, frame_times):
    import pyarrow as pa

    places, names, clips = zip(*held)
    index = np.repeat(np.arange(len(clips)), [max(1, len(clip.rows)) for clip in clips])
    facts = {"path": pa.array(list(map(shown, names)), "string")}
    for name, kind in kinds.items():
        given = name in columns
        facts[name] = columns[name].take(pa.array(places)) if given else pa.nulls(len(clips), kind)
    facts |= {
        name: pa.array([getattr(clip, name) for clip in clips], kind)
        for name, kind in FACTS.items()
    }
    facts = {name: column.take(pa.array(index)) for name, column in facts.items()}
    if frame_times is not None:
        counts = [len(clip.rows) for clip in clips]
        frames = chain.from_iterable(range(n) if n else [None] for n in counts)
        times = chain.from_iterable(frame_times(n).tolist() if n else [None] for n in counts)
        facts["frame"] = pa.array(list(frames), "int64")
        facts["time"] = pa.array(list(times), "double")
    failed = np.full((1, width), np.nan, np.float32)
    numbers = np.concatenate([clip.rows if len(clip.rows) else failed for clip in clips])
    return pa.table(facts), numbers


def write_table(path: Path, rows: Iterable[tuple], schema, names: list[str]) -> None:
    """Write batches, as they come, to a table of the kind that its suffix names."""
    with atomic_write(path) as temporary:
        _WRITERS[path.suffix](temporary, rows, schema, names)
        if path.suffix == ".csv":
            settings = json.loads(schema.metadata[b"skmer"])
            settings |= {"sha256": file_digest(temporary)}
            with atomic_write(settings_beside(path)) as beside:
                beside.write_text(json.dumps(settings, indent=2))


def _write_parquet(path, rows, schema, names):
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Hardly two numbers of an embedding are equal: a dictionary would be larger than they are.
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=texts, write_page_checksum=True
    ) as writer:
        for facts, numbers in rows:
            columns = [*facts.columns, *np.ascontiguousarray(numbers.T)]
            if "embedding" in schema.names:
                flat = pa.array(np.ascontiguousarray(numbers).reshape(-1), "float")
                lists = pa.FixedSizeListArray.from_arrays(flat, numbers.shape[1])
                columns = [*facts.columns, lists]
            writer.write_table(pa.table(columns, schema=schema))


def _write_npz(path, rows, schema, names):
    """Write a npz file: an array for every fact, and all numbers as the array "embeddings"."""
    import pyarrow as pa

    facts, n_rows = [], 0
    with TemporaryFile(dir=path.parent) as numbers, ZipFile(path, "w") as archive:
        for table, block in rows:
            facts.append(table)
            n_rows += len(block)
            numbers.write(np.ascontiguousarray(block, "<f4"))
        numbers.seek(0)
        with archive.open(ZipInfo("embeddings.npy"), "w", force_zip64=True) as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, len(names))}
            np.lib.format.write_array_header_1_0(stream, header)
            shutil.copyfileobj(numbers, stream, 2**20)
        whole = pa.concat_tables(facts)
        arrays = {name: _as_numpy(name, whole[name]) for name in whole.column_names}
        arrays["columns"] = np.array(names, dtype=str)
        arrays["settings"] = np.array(schema.metadata[b"skmer"].decode())
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _as_numpy(name: str, column) -> np.ndarray:
    """Return an array that needs no pickle: numpy has no missing integers and texts."""
    if column.null_count and str(column.type) in ("int64", "bool") and name not in _FILLED:
        raise InputError(
            f"A npz table cannot hold that the column {name!r} is missing; give it for all clips."
        )
    missing = {"int64": -1, "double": np.nan, "string": "", "bool": False}[str(column.type)]
    return np.array(column.fill_null(missing).to_pylist())


def _write_csv(path, rows, schema, names):
    """Write a csv file; texts that a spreadsheet would run get an apostrophe in front."""
    import pandas as pd

    with path.open("w", encoding="utf-8", newline="") as stream:
        for at, (facts, numbers) in enumerate(rows):
            frame = escape_formula(facts.to_pandas(integer_object_nulls=True))
            table = pd.concat([frame, pd.DataFrame(numbers, columns=names)], axis=1)
            table.to_csv(stream, index=False, header=at == 0)


_WRITERS: dict[str, Callable] = {
    ".parquet": _write_parquet,
    ".npz": _write_npz,
    ".csv": _write_csv,
}


@dataclass
class EarlierTable:
    """The clips of a table that is there: in its order, and the good ones by digest.

    `columns` are the user's own, as arrow arrays; they are read where clips are appended.
    """

    names: list[str | None] = field(default_factory=list)
    clips: list[ClipRows] = field(default_factory=list)
    columns: dict = field(default_factory=dict)
    by_digest: dict[str | None, ClipRows] = field(default_factory=dict)

    def kinds(self) -> dict[str, str]:
        """Return the types of the user's own columns."""
        return {name: str(column.type) for name, column in self.columns.items()}

    def extended(self, clips: Iterable[Placed], columns: dict) -> tuple[list[Placed], dict]:
        """Return these clips with others, and the user's columns of both.

        A clip that is there by its path, or as a segment of it, takes the place of its row.
        """
        import pyarrow as pa

        n_old = len(self.clips)
        whole: list[Placed] = list(zip(range(n_old), self.names, self.clips))
        places = {_identity(name, clip): at for at, (_, name, clip) in enumerate(whole)}
        indices: dict[bool, list[int | None]] = {True: list(range(n_old)), False: []}
        indices[False] += indices[True]
        for row, name, clip in clips:
            assert row is not None
            at = places.setdefault(_identity(name, clip), len(whole))
            whole[at : at + 1] = [(at, name, clip)]
            indices[True][at : at + 1] = [n_old + row]
            if at == len(indices[False]):
                indices[False].append(None)
        joined = {}
        for name in {**self.columns, **columns}:
            both = [one[name] for one in (self.columns, columns) if name in one]
            joined[name] = pa.concat_arrays(both).take(pa.array(indices[name in columns], "int64"))
        return whole, joined


@contextmanager
def earlier_table(
    path: Path, key: str, names: list[str], *, append: bool = False
) -> Iterator[EarlierTable]:
    """Read the clips of the table that is at `path` for the time of the block.

    The numbers lie in a temporary file, so that they do not fill the memory. Clips that failed are
    not found by their digest: what kept them from being read may have passed.

    A table that is damaged, or was made with settings of another key, counts as empty, with a
    warning; with `append` it is an error.
    """
    import pyarrow as pa

    with TemporaryFile(dir=path.parent) as numbers:
        earlier, problem = EarlierTable(), None
        try:
            table = open_table(path)
            if table.settings.get("key") == key:
                _read_clips(table, names, numbers, earlier, with_columns=append)
            else:
                problem = f"The table '{path}' was made with other settings; it is made again."
        except FileNotFoundError:
            pass
        except (pa.ArrowException, *DAMAGE) as error:
            earlier = EarlierTable()
            problem = (
                f"The table '{path}' of an earlier run cannot be read "
                f"({' '.join(str(error).split())}); its clips are computed again."
            )
        if problem is not None and append:
            reason = problem.partition(";")[0]
            raise InputError(
                f"{reason}, so that nothing can be appended to it; write another table."
            )
        if problem is not None:
            warn_of_ignored(problem, stacklevel=6)
        yield earlier


def _read_clips(
    table: StoredTable, names: list[str], file: IO[bytes], earlier: EarlierTable, with_columns
) -> None:
    """Read the clips of a table; the numbers are put into a file."""
    import pyarrow as pa

    own = table.settings.get("own", {}) if with_columns else {}
    starts: list[tuple[int, str, dict]] = []
    values: dict[str, list] = {name: [] for name in own}
    n_rows = 0
    for facts, numbers in table.read(["path", *FACTS, *own], names):
        if numbers.shape[1:] != (len(names),):
            raise ValueError(f"it has numbers of shape {numbers.shape}")
        file.write(np.ascontiguousarray(numbers, np.float32))
        for row, frame in enumerate(facts.get("frame") or [None] * len(numbers)):
            if frame is None or frame <= 0:
                stated = {name: facts[name][row] for name in FACTS}
                starts.append((n_rows + row, facts["path"][row], stated))
                for name in own:
                    values[name].append(facts[name][row])
        n_rows += len(numbers)
    if not n_rows:
        return
    file.flush()
    whole = np.memmap(file, np.float32, "r", shape=(n_rows, len(names)))
    stops = [*(start for start, *_ in starts[1:]), n_rows]
    for (start, name, stated), stop in zip(starts, stops):
        rows = whole[start:stop] if stated["error"] is None else whole[:0]
        clip = ClipRows(**stated, rows=rows, is_new=False)
        earlier.names.append(name)
        earlier.clips.append(clip)
        if clip.digest and clip.error is None:
            earlier.by_digest[clip.digest] = clip
    earlier.columns = {name: pa.array(values[name], kind) for name, kind in own.items()}


def _identity(name: str | None, clip: ClipRows) -> tuple[str | None, str]:
    """Return the path, as a table has it, and which segment of the file it is."""
    segment = (clip.digest or "").partition("#")[2]
    return shown(name), segment


def match_columns(columns: dict, kinds: Mapping[str, str]) -> dict:
    """Return the user's columns with the types that they have in the table to append to."""
    import pyarrow as pa

    matched = {}
    for name, column in columns.items():
        if name not in kinds:
            raise InputError(
                f"The table has no column {name!r}, so that none can be appended to; its columns "
                f"are {', '.join(kinds) or 'those of skmer alone'}.",
                param="columns",
            )
        try:
            matched[name] = column.cast(kinds[name])
        except pa.ArrowException as error:
            raise InputError(
                f"The column {name!r} of the table has the type {kinds[name]}, which the new "
                f"values do not have ({error}).",
                param="columns",
            ) from error
    return matched


def shown(name: str | None) -> str | None:
    """Return the name of a clip as a table has it."""
    return name if name is None else escape_undecodable(name)


def check_not_fewer(path: "Path | str", n_before: int, n_now: int, *, append: bool = True) -> None:
    """Raise where a table would lose clips."""
    if n_now < n_before:
        raise InputError(
            f"The table '{path}' has {n_before} clips, and would be replaced by one of {n_now}; "
            f"pass {'append=True to add to it, ' if append else ''}force=True to replace it, or "
            "another name.",
            param="out",
        )


def warn_of_ignored(message: str, *, stacklevel: int) -> None:
    """Warn of something that an earlier run left; `stacklevel` is that of the call of `extract`."""
    warnings.warn(bounded(message), IgnoredCacheWarning, stacklevel=stacklevel)


SUFFIXES = tuple(_WRITERS)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other processes from writing `out` at the same time.

    The lock is a hidden file beside `out`. It is left there: whoever removes a lock file lets a
    process that waits for the removed one and a process that makes a new one in at the same time.
    """
    from filelock import FileLock, Timeout

    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out.with_name(f".{out.name}.lock"), timeout=0):
            yield
    except Timeout as error:
        raise OSError(
            bounded(f"Another process is writing '{out}'; wait for it, or choose another name.")
        ) from error

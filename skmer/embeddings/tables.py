"""Tables of embeddings on disk: their columns, and how each kind is written and read again."""

import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np

from skmer.audio.segment import Segment, file_of
from skmer.exceptions import IgnoredCacheWarning, InputError, InputTypeError, bounded
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import file_digest, open_regular, read_regular
from skmer.utils.files import atomic_write, escape_formula
from skmer.utils.messages import escape_undecodable

# What a table states of a clip, and of a frame, beside the path and the user's own columns.
FACTS = dict.fromkeys(("digest", "duration", "sr", "error", "notes"), "string")
FACTS |= {"duration": "double", "sr": "int64"}
FRAME_FACTS = {"frame": "int64", "time": "double"}
# Arrays that a npz file holds beside the columns.
_ARRAYS = ("columns", "embeddings", "settings")
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


def check_columns(columns: Mapping | None, n_clips: int, names: list[str]) -> dict:
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


def table_schema(columns: dict, names: list[str], settings: dict, *, frames: bool):
    """Return the arrow schema of a table: facts, numbers, and the settings in its metadata."""
    import pyarrow as pa

    facts = {"path": "string", **{name: column.type for name, column in columns.items()}, **FACTS}
    facts |= FRAME_FACTS if frames else {}
    fields = [*facts.items(), *((name, "float") for name in names)]
    return pa.schema(fields, metadata={"skmer": json.dumps(settings)})


def batches(
    clips: Iterable[ClipRows],
    paths: list[str | Segment],
    columns: dict,
    width: int,
    frame_times: Callable[[int], np.ndarray] | None,
) -> Iterator[tuple]:
    """Join clips to batches of facts, as an arrow table, and numbers, (n_rows, width).

    With `frame_times` a row is a frame. A clip without rows, which failed, is one row of NaN.
    """
    held: list[ClipRows] = []
    first = n_rows = n_bytes = 0
    for clip in clips:
        held.append(clip)
        n_rows += len(clip.rows)
        n_bytes += clip.rows.nbytes
        if len(held) + n_rows >= _BATCH_ROWS or n_bytes >= _BATCH_BYTES:
            yield _batch(held, first, paths, columns, width, frame_times)
            first += len(held)
            held, n_rows, n_bytes = [], 0, 0
    if held:
        yield _batch(held, first, paths, columns, width, frame_times)


def _batch(held, first, paths, columns, width, frame_times):
    import pyarrow as pa

    index = np.repeat(np.arange(len(held)), [max(1, len(clip.rows)) for clip in held])
    names = [escape_undecodable(file_of(path)) for path in paths[first : first + len(held)]]
    facts = {"path": pa.array(names)}
    facts |= {name: column.slice(first, len(held)) for name, column in columns.items()}
    facts |= {
        name: pa.array([getattr(clip, name) for clip in held], kind) for name, kind in FACTS.items()
    }
    facts = {name: column.take(pa.array(index)) for name, column in facts.items()}
    if frame_times is not None:
        counts = [len(clip.rows) for clip in held]
        frames = chain.from_iterable(range(n) if n else [None] for n in counts)
        times = chain.from_iterable(frame_times(n).tolist() if n else [None] for n in counts)
        facts["frame"] = pa.array(list(frames), "int64")
        facts["time"] = pa.array(list(times), "double")
    failed = np.full((1, width), np.nan, np.float32)
    numbers = np.concatenate([clip.rows if len(clip.rows) else failed for clip in held])
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


def settings_beside(table: Path) -> Path:
    """Return where the settings of a csv table are, which has no room for them."""
    return table.with_name(f"{table.name}.json")


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
        arrays = {name: _as_numpy(whole[name]) for name in whole.column_names}
        arrays["columns"] = np.array(names, dtype=str)
        arrays["settings"] = np.array(schema.metadata[b"skmer"].decode())
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _as_numpy(column) -> np.ndarray:
    """Return an array that needs no pickle: numpy has no missing integers and texts."""
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


@contextmanager
def earlier_table(path: Path, key: str, names: list[str]) -> Iterator[dict[str, ClipRows]]:
    """Read the clips of the table that is at `path`, by digest, for the time of the block.

    Clips that failed are not among them: what kept them from being read may have passed. The
    numbers lie in a temporary file, so that they do not fill the memory.

    One that is damaged, or was made with settings of another key, counts as empty, with a warning.
    """
    import pyarrow as pa

    with TemporaryFile(dir=path.parent) as numbers:
        clips: dict[str, ClipRows] = {}
        try:
            settings, rows = _READERS[path.suffix](path, names)
            if settings.get("key") == key:
                clips = _clips_of(rows, numbers, len(names))
            else:
                message = f"The table '{path}' was made with other settings; it is made again."
                warn_of_ignored(message, stacklevel=5)
        except FileNotFoundError:
            pass
        except (pa.ArrowException, *DAMAGE) as error:
            warn_of_ignored(
                f"The table '{path}' of an earlier run cannot be read "
                f"({' '.join(str(error).split())}); its clips are computed again.",
                stacklevel=5,
            )
        yield clips


def _clips_of(table: Iterable[tuple[dict, np.ndarray]], file: IO[bytes], width: int) -> dict:
    """Return the clips of batches of facts and numbers; the numbers are put into a file."""
    starts: list[tuple[int, dict]] = []
    n_rows = 0
    for facts, numbers in table:
        if numbers.shape[1:] != (width,):
            raise ValueError(f"it has numbers of shape {numbers.shape}")
        file.write(np.ascontiguousarray(numbers, np.float32))
        frames = facts.get("frame") or [None] * len(numbers)
        starts += [
            (n_rows + row, {name: facts[name][row] for name in FACTS})
            for row, frame in enumerate(frames)
            if frame is None or frame <= 0
        ]
        n_rows += len(numbers)
    if not n_rows:
        return {}
    file.flush()
    whole = np.memmap(file, np.float32, "r", shape=(n_rows, width))
    stops = [*(start for start, _ in starts[1:]), n_rows]
    return {
        facts["digest"]: ClipRows(**facts, rows=whole[start:stop], is_new=False)
        for (start, facts), stop in zip(starts, stops)
        if facts["digest"] and not facts["error"]
    }


def warn_of_ignored(message: str, *, stacklevel: int) -> None:
    """Warn of something that an earlier run left; `stacklevel` is that of the call of `extract`."""
    warnings.warn(bounded(message), IgnoredCacheWarning, stacklevel=stacklevel)


def _read_parquet(path, names):
    import pyarrow.parquet as pq

    def rows():
        with (
            open_regular(path) as stream,
            pq.ParquetFile(stream, page_checksum_verification=True) as file,
        ):
            facts = [name for name in (*FACTS, "frame") if name in schema.names]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[*facts, *names]):
                numbers = [column.to_numpy() for column in batch.select(names).columns]
                yield batch.select(facts).to_pydict(), np.stack(numbers, axis=1)

    # Opened here, since pyarrow waits for ever where it is a pipe.
    with open_regular(path) as stream:
        schema = pq.read_schema(stream)
    return json.loads((schema.metadata or {}).get(b"skmer", b"{}")), rows()


def _read_npz(path, names):
    # Opened here, since numpy leaves it open where it is no archive.
    with open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
        settings = json.loads(str(arrays["settings"]))
        facts = {name: arrays[name].tolist() for name in (*FACTS, "frame") if name in arrays}
        numbers = arrays["embeddings"]
    for name in ("error", "notes"):
        facts[name] = [text or None for text in facts[name]]
    return settings, [(facts, numbers)]


def _read_csv(path, names):
    import pandas as pd

    settings = json.loads(read_regular(settings_beside(path)))
    if settings.get("sha256") != file_digest(path):
        raise ValueError("it was changed since it was written")
    kinds = {"digest": str, "error": str, "notes": str, **dict.fromkeys(names, np.float32)}

    def rows():
        with open_regular(path) as stream:
            for frame in pd.read_csv(stream, dtype=kinds, chunksize=_BATCH_ROWS):
                facts = frame[[name for name in (*FACTS, "frame") if name in frame]]
                facts = facts.astype({"sr": "Int64"}).astype(object)
                yield facts.where(facts.notna(), None).to_dict("list"), frame[names].to_numpy()

    return settings, rows()


_READERS: dict[str, Callable] = {".parquet": _read_parquet, ".npz": _read_npz, ".csv": _read_csv}
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

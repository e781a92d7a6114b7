"""Tables of embeddings on disk: their columns, and how each kind is written and read again."""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from zipfile import ZipFile, ZipInfo

import numpy as np
import pyarrow as pa

from skmer.exceptions import IgnoredCacheWarning, InputError, InputTypeError, bounded
from skmer.utils import cache, digest, files, messages

# What a table states of a clip, and of a frame, beside the path and the user's own columns.
FACTS = dict.fromkeys(("digest", "duration", "sr", "error", "notes"), "string")
FACTS |= {"duration": "double", "sr": "int64"}
FRAME_FACTS = {"frame": "int64", "time": "double"}
# Of clips that are segments of files.
ENDS = {"start": "double", "end": "double"}
# Arrays that a npz file holds beside the columns, and the column of lists.
_ARRAYS = ("columns", "embedding", "embeddings", "settings")
# Rows are written, and read again, in batches of about so many, which bounds the memory.
_BATCH_BYTES = 2**25
_BATCH_ROWS = 2**14


@dataclass(frozen=True)
class ClipRows:
    """One clip that is done: what is stated of it, and its rows, (n_rows, n_columns).

    A clip that failed has an error and no rows. `start` and `end` [s] are those of a segment, and
    `cells` are the user's own columns. `is_new` is False where nothing was computed, and
    `cache_error` is why the cache could not be used.
    """

    path: str | None = None
    start: float | None = None
    end: float | None = None
    digest: str | None = None
    duration: float | None = None
    sr: int | None = None
    error: str | None = None
    notes: str | None = None
    rows: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    cells: Mapping = field(default_factory=dict)
    is_new: bool = True
    cache_error: str | None = None

    @property
    def identity(self) -> tuple:
        """The path, as a table has it, and which segment of the file it is."""
        return self.path, self.start, self.end


def check_columns(columns: Mapping | None, n_clips: int | None, names: list[str]) -> dict:
    """Return the user's own columns as arrow arrays; `names` are those of the table itself."""
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

    escape = messages.escape_undecodable
    values = [escape(value) if isinstance(value, str) else value for value in values]
    kinds = "texts, integers, floats, or truth values of which none is missing"
    try:
        array = pa.array(pd.Series(values, dtype=object), from_pandas=True)
    except (pa.ArrowException, OverflowError) as error:
        raise InputTypeError(f"The column {name!r} must hold {kinds} ({error}).") from error
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_string(kind):
        return array.cast("string")
    # No kind of table but Parquet can hold an integer that is missing.
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and array.null_count):
        return array.cast("double")
    if pa.types.is_integer(kind) or (pa.types.is_boolean(kind) and not array.null_count):
        return array
    raise InputTypeError(f"The column {name!r} must hold {kinds}. Got values of type {kind}.")


def match_columns(columns: Mapping, kinds: Mapping[str, str]) -> None:
    """Raise where the user's columns do not fit into those of the table to append to."""
    for name, column in columns.items():
        if name not in kinds:
            raise InputError(
                f"The table has no column {name!r}, so that none can be appended to; its columns "
                f"are {', '.join(kinds) or 'those of skmer alone'}.",
                param="columns",
            )
        try:
            # The columns of a listing are texts, which come with the clips.
            pa.array(column.to_pylist() or ["text"], kinds[name])
        except (pa.ArrowException, TypeError) as error:
            raise InputError(
                f"The column {name!r} of the table has the type {kinds[name]}, which the new "
                f"values do not have ({error}).",
                param="columns",
            ) from error


def in_lists(items: Iterable, measure: Callable, limits: tuple[int, int]) -> Iterator[list]:
    """Yield items in lists, each ended by the first item with which a sum reaches its limit."""
    held, sums = [], [0, 0]
    for item in items:
        held.append(item)
        sums = [one + more for one, more in zip(sums, measure(item))]
        if any(one >= most for one, most in zip(sums, limits)):
            yield held
            held, sums = [], [0, 0]
    if held:
        yield held


def batches(clips: Iterable[ClipRows], schema, names: list[str], frame_times) -> Iterator[tuple]:
    """Join clips to batches of facts, as an arrow table, and numbers, (n_rows, n_names).

    A clip without rows has one of NaN. `frame_times` gives the times of so many frames, None where
    a row is a clip.
    """
    stated = pa.schema([one for one in schema if one.name not in {*names, *FRAME_FACTS, *_ARRAYS}])
    failed = np.full((1, len(names)), np.nan, np.float32)

    def measure(clip):
        return 1 + len(clip.rows), clip.rows.nbytes

    for held in in_lists(clips, measure, (_BATCH_ROWS, _BATCH_BYTES)):
        counts = [len(clip.rows) for clip in held]
        index = np.repeat(np.arange(len(held)), np.maximum(counts, 1))
        facts = pa.Table.from_pylist([{**vars(clip), **clip.cells} for clip in held], stated)
        facts = facts.take(pa.array(index))
        if frame_times is not None:
            frames = [frame for n in counts for frame in (range(n) if n else [None])]
            times = [time for n in counts for time in (frame_times(n).tolist() if n else [None])]
            facts = facts.append_column("frame", pa.array(frames, "int64"))
            facts = facts.append_column("time", pa.array(times, "double"))
        yield facts, np.concatenate([clip.rows if len(clip.rows) else failed for clip in held])


def write_table(path: Path, rows: Iterable[tuple], schema, names: list[str]) -> None:
    """Write batches, as they come, to a table of the kind that its suffix names."""
    with files.atomic_write(path) as temporary:
        _WRITERS[path.suffix](temporary, rows, schema, names)
        if path.suffix == ".csv":
            settings = json.loads(schema.metadata[b"skmer"])
            settings |= {"sha256": digest.file_digest(temporary)}
            with files.atomic_write(settings_beside(path)) as beside:
                beside.write_text(json.dumps(settings, indent=2))


def _write_parquet(path, rows, schema, names):
    import pyarrow.parquet as pq

    # Hardly two numbers of an embedding are equal: a dictionary would be larger than they are.
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    options = {"compression": "zstd", "use_dictionary": texts, "write_page_checksum": True}
    with pq.ParquetWriter(path, schema, **options) as writer:
        for facts, numbers in rows:
            columns = [*facts.columns, *np.ascontiguousarray(numbers.T)]
            if "embedding" in schema.names:
                flat = pa.array(np.ascontiguousarray(numbers).reshape(-1), "float")
                lists = pa.FixedSizeListArray.from_arrays(flat, numbers.shape[1])
                columns = [*facts.columns, lists]
            writer.write_table(pa.table(columns, schema=schema))


def _write_npz(path, rows, schema, names):
    """Write a npz file: an array for every fact, and all numbers as the array "embeddings"."""
    facts, n_rows = [], 0
    with TemporaryFile(dir=path.parent) as numbers, ZipFile(path, "w") as archive:
        for table, block in rows:
            facts.append(table)
            n_rows += len(block)
            numbers.write(np.ascontiguousarray(block, "<f4"))
        numbers.flush()
        arrays: dict = {"embeddings": np.memmap(numbers, "<f4", "r", shape=(n_rows, len(names)))}
        whole = pa.concat_tables(facts)
        arrays |= {name: _as_numpy(name, whole[name]) for name in whole.column_names}
        arrays["columns"] = np.array(names, dtype=str)
        arrays["settings"] = np.array(schema.metadata[b"skmer"].decode())
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _as_numpy(name: str, column) -> np.ndarray:
    """Return an array that needs no pickle: numpy has no missing integers and texts."""
    # A rate or the number of a frame is -1 where it is missing.
    if column.null_count and name not in ("sr", "frame") and str(column.type) in ("int64", "bool"):
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
            stated = files.escape_formula(facts.to_pandas(integer_object_nulls=True))
            frame = stated.join(pd.DataFrame(numbers, columns=names))
            frame.to_csv(stream, index=False, header=at == 0, lineterminator="\n")


_WRITERS: dict[str, Callable] = {".parquet": _write_parquet, ".npz": _write_npz, ".csv": _write_csv}
SUFFIXES = tuple(_WRITERS)


@dataclass
class StoredTable:
    """A table on disk: its settings, and a function that reads batches.

    ``read(facts, names)`` yields lists by the names of facts, with "frame" where a row is a frame,
    and the numbers of the columns called `names`.
    """

    settings: dict
    read: Callable[[list[str], list[str]], Iterator[tuple[dict, np.ndarray]]]

    def clips(self, names: list[str], *, with_cells: bool = False) -> Iterator[ClipRows]:
        """Yield the clips, each with the numbers of the columns called `names`."""
        own = list(self.settings.get("own", ())) if with_cells else []
        ends = list(ENDS) if self.settings.get("segments") else []
        stated: dict = {}
        rows: list[np.ndarray] = []
        for facts, numbers in self.read(["path", *ends, *FACTS, *own], names):
            if numbers.shape[1:] != (len(names),):
                raise ValueError(f"it has numbers of shape {numbers.shape}")
            for row, frame in enumerate(facts.get("frame") or [None] * len(numbers)):
                if rows and (frame is None or frame <= 0):
                    yield _as_clip(stated, rows)
                    rows = []
                if not rows:
                    stated = {name: facts[name][row] for name in ("path", *ends, *FACTS)}
                    stated |= {"cells": {name: facts[name][row] for name in own}}
                rows.append(numbers[row])
        if rows:
            yield _as_clip(stated, rows)


def _as_clip(stated: dict, rows: list[np.ndarray]) -> ClipRows:
    missing = {name: None for name in ENDS if stated.get(name) != stated.get(name)}
    good = {"rows": np.stack(rows)} if stated["error"] is None else {}
    return ClipRows(**stated | missing | good, is_new=False)


def open_table(path: Path) -> StoredTable:
    """Open a table that `extract` wrote."""
    return _READERS[path.suffix](path)


def _open_parquet(path: Path) -> StoredTable:
    import pyarrow.parquet as pq

    # Opened here, since pyarrow waits for ever where it is a pipe.
    with digest.open_regular(path) as stream:
        schema = pq.read_schema(stream)
    settings = json.loads((schema.metadata or {}).get(b"skmer", b"{}"))

    def read(facts, names):
        facts = [name for name in (*facts, "frame") if name in schema.names]
        listed = settings.get("columns")
        at = [listed.index(name) for name in names] if listed else []
        columns = [*facts, *(["embedding"] if listed else names)]
        with digest.open_regular(path) as stream:
            file = pq.ParquetFile(stream, page_checksum_verification=True)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                if listed:
                    numbers = batch["embedding"].flatten().to_numpy().reshape(len(batch), -1)[:, at]
                else:
                    numbers = np.stack([batch[name].to_numpy() for name in names], axis=1)
                yield batch.select(facts).to_pydict(), numbers

    return StoredTable(settings, read)


def _open_npz(path: Path) -> StoredTable:
    # Opened here, since numpy leaves it open where it is no archive.
    with digest.open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays}
    settings, listed = json.loads(str(held["settings"])), held["columns"].tolist()
    texts = ("error", "notes", *(n for n, k in settings.get("own", {}).items() if k == "string"))

    def read(facts, names):
        found = {n: held[n].tolist() for n in (*facts, "frame") if n in held}
        for name in set(texts).intersection(found):
            found[name] = [text or None for text in found[name]]
        found["sr"] = [None if sr < 0 else sr for sr in found["sr"]]
        numbers = held["embeddings"]
        yield found, numbers if names == listed else numbers[:, [listed.index(n) for n in names]]

    return StoredTable(settings, read)


def _open_csv(path: Path) -> StoredTable:
    import pandas as pd

    try:
        settings = json.loads(digest.read_regular(settings_beside(path)))
    except FileNotFoundError:
        # Of somebody else; it raises where there is no table either.
        digest.open_regular(path).close()
        return StoredTable({}, lambda *_: iter(()))
    if settings.get("sha256") != digest.file_digest(path):
        raise ValueError("it was changed since it was written")
    own = settings.get("own", {})

    def read(facts, names):
        kinds = {"path": "string", **ENDS, **own, **FACTS, **FRAME_FACTS}
        texts = {name for name, kind in kinds.items() if kind == "string"}
        types: dict = {"string": str, "int64": "Int64", "double": float, "bool": bool}
        dtypes = {files.escape_formula(name): types[kind] for name, kind in kinds.items()}
        dtypes |= dict.fromkeys(names, np.float32)
        wanted = {*facts, "frame", *names}
        with digest.open_regular(path) as stream:
            for frame in pd.read_csv(
                stream,
                usecols=lambda name: files.unescape_formula(name) in wanted,
                dtype=dtypes,
                chunksize=_BATCH_ROWS,
                keep_default_na=False,
                na_values={name: [""] for name in dtypes} | {name: ["", "nan"] for name in names},
            ):
                frame = frame.rename(columns=files.unescape_formula)
                found = frame[[name for name in frame if name in kinds]].astype(object)
                lists = found.where(found.notna(), None).to_dict("list")
                for name in texts.intersection(lists):
                    lists[name] = [cell and files.unescape_formula(cell) for cell in lists[name]]
                yield lists, frame[names].to_numpy()

    return StoredTable(settings, read)


_READERS: dict[str, Callable] = {".parquet": _open_parquet, ".npz": _open_npz, ".csv": _open_csv}


def settings_beside(table: Path) -> Path:
    """Return where the settings of a csv table are, which has no room for them."""
    return table.with_name(f"{table.name}.json")


def count_clips(path: Path) -> int:
    """Return how many clips a table has, whoever wrote it; 0 where it cannot be read."""
    if not path.is_file():
        return 0
    import pandas as pd
    import pyarrow.parquet as pq

    wanted = ("path", "frame", "time")
    try:
        with digest.open_regular(path) as file:
            if path.suffix == ".csv":
                table = pd.read_csv(file, usecols=lambda name: name in wanted, dtype={"path": str})
                if not len(table.columns):
                    file.seek(0)
                    return len(pd.read_csv(file, usecols=[0]))
            elif path.suffix == ".json":
                table = pd.read_json(file)
            elif path.suffix == ".npz":
                with np.load(file, allow_pickle=False) as arrays:
                    table = pd.DataFrame({name: arrays[name] for name in wanted if name in arrays})
            else:
                parquet = pq.ParquetFile(file)
                found = [name for name in wanted if name in parquet.schema_arrow.names]
                table = parquet.read(found).to_pandas()
    except (pa.ArrowException, *cache.DAMAGE):
        return 0
    if "frame" in table:
        return int((table["frame"].isna() | (table["frame"] <= 0)).sum())
    if "time" in table and len(table):
        # Of predictions, the moments of a clip follow one another.
        return int((table["path"] != table["path"].shift()).sum())
    return len(table)


@dataclass
class EarlierTable:
    """The clips of a table that is there, in its order, and the types of the user's own columns."""

    clips: list[ClipRows] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    segments: bool = False

    def by_digest(self) -> dict[str | None, ClipRows]:
        """Return the good ones by the digest of their content."""
        return {one.digest: one for one in self.clips if one.digest and one.error is None}

    def extended(self, clips: Iterable[ClipRows]) -> list[ClipRows]:
        """Return these clips with others.

        A clip that is there by its path, or as a segment of it, takes the place of its row.
        """
        whole = list(self.clips)
        places = {clip.identity: at for at, clip in enumerate(whole)}
        for clip in clips:
            at = places.setdefault(clip.identity, len(whole))
            if at < len(whole):
                clip = replace(clip, cells={**whole[at].cells, **clip.cells})
            whole[at : at + 1] = [clip]
        return whole


@contextmanager
def earlier_table(path: Path, key: str, names: list[str], *, append) -> Iterator[EarlierTable]:
    """Read the clips of the table that is at `path` for the time of the block.

    The numbers lie in a temporary file, so that they do not fill the memory. Clips that failed are
    not found by their digest: what kept them from being read may have passed.

    A table that is damaged, or was made with settings of another key, counts as empty, with a
    warning; with `append` it is an error.
    """
    with TemporaryFile(dir=path.parent) as numbers:
        earlier, what, then = EarlierTable(), "", "it is made again"
        try:
            table = open_table(path)
            if table.settings.get("key") == key:
                clips = _on_disk(table.clips(names, with_cells=append), len(names), numbers)
                stated = table.settings
                earlier = EarlierTable(clips, stated.get("own", {}), stated.get("segments", False))
            else:
                what = f"The table '{path}' was made with other settings"
        except FileNotFoundError:
            pass
        except (pa.ArrowException, *cache.DAMAGE) as error:
            what = f"The table '{path}' of an earlier run cannot be read ({error})"
            then = "its clips are computed again"
        if what and append:
            raise InputError(f"{what}, so that nothing can be appended to it; write another table.")
        if what:
            warn_of_ignored(f"{what}; {then}.")
        yield earlier


def _on_disk(clips: Iterable[ClipRows], width: int, file) -> list[ClipRows]:
    """Return the clips, with their numbers in a file."""
    held, ends = [], [0]
    for clip in clips:
        file.write(np.ascontiguousarray(clip.rows, np.float32))
        held.append(replace(clip, rows=np.zeros((0, 0))))
        ends.append(ends[-1] + len(clip.rows))
    if ends[-1]:
        file.flush()
        whole = np.memmap(file, np.float32, "r", shape=(ends[-1], width))
        held = [replace(clip, rows=whole[slice(*at)]) for clip, at in zip(held, pairwise(ends))]
    return held


def check_not_fewer(path: Path | str, n_before: int, n_now: int, *, append: bool = True) -> None:
    """Raise where a table would lose clips."""
    if n_now < n_before:
        raise InputError(
            f"The table '{path}' has {n_before} clips, and would be replaced by one of {n_now}; "
            f"pass {'append=True to add to it, ' if append else ''}force=True to replace it, or "
            "another name.",
            param="out",
        )


def warn_of_ignored(message: str) -> None:
    """Warn, at the line of the call of `extract`, of something that an earlier run left."""
    warnings.warn(message, IgnoredCacheWarning, stacklevel=6)


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
        message = f"Another process is writing '{out}'; wait for it, or choose another name."
        raise OSError(bounded(message)) from error

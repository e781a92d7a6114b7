"""The finished parts of an extraction: small files that outlive a kill, each whole or absent."""

import hashlib
import io
import json
import os
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from numbers import Integral
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
from sklearn.base import clone

from skmer._version import __version__
from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.function import function_name
from skmer.embeddings.recipe import Recipe, resampler_version
from skmer.exceptions import IgnoredCacheWarning, InputError, InputTypeError, bounded
from skmer.utils.cache import DAMAGE
from skmer.utils.digest import file_digest, open_regular, read_regular, settings_digest
from skmer.utils.files import escape_formula, expand_path
from skmer.utils.labels import check_text
from skmer.utils.messages import check_flags, cut_middle, escape_undecodable, is_iterable

_OPEN_PARTS = 8
_FACTS = ("digest", "duration", "sr", "error", "notes")


@dataclass(frozen=True)
class ClipRecord:
    """One clip that is done: what is known of it, and its rows, flat; none where it failed."""

    digest: str | None
    duration: float | None
    sr: int | None
    error: str | None
    notes: str | None
    rows: np.ndarray


@dataclass(frozen=True)
class StoredRecord:
    """Where the record of a clip is stored, and how many numbers its rows have."""

    part: Path
    index: int
    size: int


class Parts:
    """The parts in a folder that were made with one set of settings, told apart by `key`.

    The name of a part ends in the digest of its bytes, so that a damaged one is never believed.
    `is_whole` says of how many numbers the rows of a clip can be.
    """

    def __init__(self, folder: Path, key: str, is_whole: Callable[[int], bool]):
        self.folder = folder
        self.key = key
        self.is_whole = is_whole
        self._load = lru_cache(maxsize=_OPEN_PARTS)(_load)

    def finished(self) -> dict[str, StoredRecord]:
        """Return where the records of computed clips are, by the digests of the clips.

        Failed clips are not among them: what kept them from being read may have passed.
        """
        stored = {}
        for path in self._mine():
            try:
                table = _load(path)
            except OSError:
                warnings.warn(
                    f"The part {path} is damaged; its clips are computed again.",
                    IgnoredCacheWarning,
                    stacklevel=2,
                )
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
                continue
            rows = table.select(["digest", "error", "size"]).to_pylist()
            for index, row in enumerate(rows):
                is_done = row["digest"] is not None and row["error"] is None
                if is_done and self.is_whole(row["size"]):
                    stored[row["digest"]] = StoredRecord(path, index, row["size"])
        return stored

    def n_foreign(self) -> int:
        """Count the parts of extractions with other settings."""
        return sum(1 for _ in self.folder.glob("*.parquet")) - len(self._mine())

    def write(self, records: list[ClipRecord]) -> list[StoredRecord]:
        """Write one part; return where its records are."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        facts = {name: [getattr(record, name) for record in records] for name in _FACTS}
        sizes = np.array([record.rows.size for record in records], np.int64)
        rows = pa.LargeListArray.from_arrays(
            np.concatenate([[0], np.cumsum(sizes)]),
            np.concatenate([record.rows.ravel() for record in records]),
        )
        stream = io.BytesIO()
        pq.write_table(pa.table({**facts, "size": sizes, "rows": rows}, _schema()), stream)
        content = stream.getvalue()
        path = self.folder / f"{self.key}-{_digest(content)}.parquet"
        temporary = self.folder / f"{self.key}-{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return [StoredRecord(path, index, int(size)) for index, size in enumerate(sizes)]

    def read(self, stored: StoredRecord) -> ClipRecord:
        """Return one record."""
        table = self._load(stored.part)
        facts = {name: table[name][stored.index].as_py() for name in _FACTS}
        return ClipRecord(**facts, rows=table["rows"][stored.index].values.to_numpy())

    def remove(self) -> None:
        """Remove these parts, and what a kill left of one that was being written."""
        self._load.cache_clear()
        for path in [*self._mine(), *self.folder.glob(f"{self.key}-*.tmp")]:
            path.unlink(missing_ok=True)

    def _mine(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.key}-*.parquet"))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _load(path: Path):
    """A part as an arrow table, its columns of one chunk each; OSError where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = read_regular(path)
    try:
        if not path.stem.endswith(_digest(content)):
            raise ValueError
        table = pq.read_table(io.BytesIO(content)).combine_chunks()
        sizes = table["rows"].combine_chunks().value_lengths()
        if table.schema != _schema() or not sizes.equals(table["size"].combine_chunks()):
            raise ValueError
    except (pa.ArrowException, *DAMAGE) as error:
        raise OSError(bounded(f"The part {path} is damaged; run the same call again.")) from error
    return table


@cache
def _schema():
    import pyarrow as pa

    return pa.schema(
        {
            "digest": pa.string(), "duration": pa.float64(), "sr": pa.int64(),
            "error": pa.string(), "notes": pa.string(), "size": pa.int64(),
            "rows": pa.large_list(pa.float32()),
        }
    )  # fmt: skip


# What a table says of a clip, and of a frame, beside the path and the columns of the user's own.
FACTS = {
    "digest": "string",
    "duration": "double",
    "sr": "int64",
    "error": "string",
    "notes": "string",
}
FRAME_FACTS = {"frame": "int64", "time": "double"}
SUFFIXES = (".parquet", ".npz", ".csv")
# Arrays that a npz file holds beside the columns.
_ARRAYS = ("columns", "embeddings", "settings")


def check_paths(paths) -> list[str]:
    """Return the paths as strings."""
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"'paths' must be a sequence of paths, got a lone one, {paths!r:.200}.")
    if not is_iterable(paths) or isinstance(paths, dict | set):
        raise InputTypeError(f"'paths' must be a sequence of paths, got {paths!r:.200}.")
    checked = []
    for row, path in enumerate(paths):
        if not isinstance(path, str | os.PathLike):
            raise InputTypeError(f"Entry {row} of 'paths' must be a path, got {path!r:.100}.")
        checked.append(os.path.expanduser(os.fspath(path)))
    if not checked:
        raise InputError("'paths' must hold at least one path, got none.")
    return checked


def check_columns(columns: Mapping | None, n_clips: int, names: list[str]) -> dict[str, list]:
    """Return the user's own columns as lists of values that every kind of table can hold."""
    if columns is not None and not hasattr(columns, "items"):
        raise InputTypeError(
            "'columns' must be a dict of name to values. "
            f"Got {cut_middle(repr(columns), 100)} instead."
        )
    checked = {}
    taken = {"path", *FACTS, *FRAME_FACTS, *_ARRAYS, *names}
    for name, values in ({} if columns is None else columns).items():
        if not isinstance(name, str) or not name:
            raise InputTypeError(
                f"The names of 'columns' must be texts of at least one letter. Got {name!r}."
            )
        check_text("The names of 'columns'", name)
        if "\0" in name:
            raise InputError(f"The column {name!r} has a null character in its name; rename it.")
        if name in taken:
            raise InputError(f"A column of the table is called {name!r} already; rename yours.")
        if not is_iterable(values) or isinstance(values, str | bytes | dict | set):
            raise InputTypeError(
                f"The column {name!r} must be a sequence of values. Got {values!r:.100}."
            )
        checked[name] = [_plain(value) for value in values]
        if len(checked[name]) != n_clips:
            raise InputError(
                f"The column {name!r} must have one entry for each of the {n_clips} paths. "
                f"Got {len(checked[name])}."
            )
    return checked


def column_types(columns: Mapping[str, list]) -> dict[str, str]:
    """Return what each column holds: "string", "int64", "double" or "bool"."""
    return {name: _column_type(name, values) for name, values in columns.items()}


def _plain(value):
    """A numpy number as Python's own, a text that can be written, None for a missing value."""
    value = value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
    import pandas as pd

    missing = pd.isna(value)
    if isinstance(missing, bool | np.bool_) and missing:
        return None
    return escape_undecodable(value) if isinstance(value, str) else value


def _column_type(name: str, values: list) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool} and None not in values:
        return "bool"
    whole = kinds == {int} and None not in values
    if whole and all(-(2**63) <= value < 2**63 for value in values):
        return "int64"
    if (
        kinds
        and kinds <= {int, float}
        and all(
            value is None or type(value) is float or -(2**63) <= value < 2**63 for value in values
        )
    ):
        return "double"
    if all(issubclass(kind, str) for kind in kinds):
        return "string"
    listed = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InputTypeError(
        f"The column {name!r} must hold texts, or whole numbers, or numbers, or truth values. "
        f"Got values of {listed}."
    )


def settings_beside(table: Path) -> Path:
    """Where the settings of a table are that has no room for them itself."""
    return table.with_name(f"{table.name}.json")


def check_out(out: str | os.PathLike) -> Path:
    """Return the table's path, which can be written."""
    path = expand_path(out)
    if path.suffix not in SUFFIXES:
        raise InputError(f"The table must end in {', '.join(SUFFIXES)}. Got '{path}'.")
    for written in [path, settings_beside(path)] if path.suffix == ".csv" else [path]:
        if written.is_dir():
            raise IsADirectoryError(
                bounded(f"The table cannot be written to '{written}', which is a folder.")
            )
    return path


def check_chunk_size(chunk_size: int) -> int:
    """Refuse chunks without clips."""
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, Integral) or chunk_size < 1:
        raise InputError(
            f"The 'chunk_size' parameter must be an integer of at least 1. Got {chunk_size!r}."
        )
    return int(chunk_size)


def prepare_transformers(transformer, frames: bool) -> list[BaseClipTransformer]:
    """Return unfitted copies that pool where a row is a clip, and not where it is a frame."""
    check_flags("extract", frames=frames)
    given = list(transformer) if isinstance(transformer, list | tuple) else [transformer]
    if not given or not all(isinstance(one, BaseClipTransformer) for one in given):
        wrong = next((one for one in given if not isinstance(one, BaseClipTransformer)), given)
        raise InputTypeError(
            "'transformer' must be a transformer of clips, such as MFCCStatsTransformer(), or a "
            f"list of those. Got {wrong!r:.100}."
        )
    if frames and len(given) > 1:
        raise InputError(
            "With frames=True one transformer fills a table, since each has frames of its own "
            f"length; write a table for each. Got {len(given)} transformers."
        )
    return [_prepare(clone(one), frames) for one in given]


def _prepare(transformer, frames):
    transformer._check_can_be_kept()
    parameters = transformer.get_params()
    pooling = "pooling" if "pooling" in parameters else "statistics"
    if frames:
        return transformer.set_params(**{pooling: None})
    if parameters[pooling] is None:
        raise InputError(
            f"With {pooling}=None a clip has many rows; pass frames=True for one row a frame, or "
            f"set {pooling}."
        )
    return transformer


def column_names(transformers: list[BaseClipTransformer]) -> list[str]:
    """Return the names of all numbers, each there once."""
    names = [str(name) for one in transformers for name in one.get_feature_names_out()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"Two of the transformers give a column {twice!r}; write a table for each of them."
        )
    return names


_KINDS = {
    "digest": str | None,
    "duration": float | None,
    "sr": int | None,
    "error": str | None,
    "notes": str | None,
}
_EARLIER_FACTS = tuple(_KINDS)


def earlier_records(table: Path, key: str, names: list[str]) -> Iterator[ClipRecord]:
    """Yield the clips of a table that was made with the settings of `key`, but not failed ones.

    A table of other settings, or of other making, has none; a damaged one neither, with a warning.
    """
    import pyarrow as pa

    read = {".parquet": _from_parquet, ".npz": _from_npz, ".csv": _from_csv}[table.suffix]
    try:
        yield from _clips(read(table, key, names))
    except FileNotFoundError:
        return
    except (pa.ArrowException, *DAMAGE) as error:
        warnings.warn(
            f"The table {table} of an earlier run cannot be read "
            f"({cut_middle(' '.join(str(error).split()), 100)}); its clips are computed again.",
            IgnoredCacheWarning,
            stacklevel=2,
        )


def _from_parquet(table, key, names):
    import pyarrow.parquet as pq

    # Opened here, since pyarrow waits for ever where it is a pipe.
    with (
        open_regular(table) as stream,
        pq.ParquetFile(stream, page_checksum_verification=True) as file,
    ):
        settings = (file.schema_arrow.metadata or {}).get(b"skmer", b"{}")
        if json.loads(settings).get("key") != key:
            return
        facts = [name for name in file.schema_arrow.names if name in (*_EARLIER_FACTS, "frame")]
        for batch in file.iter_batches(batch_size=2**14, columns=[*facts, *names]):
            columns = batch.select(names).columns
            yield (
                batch.select(facts).to_pydict(),
                np.stack([column.to_numpy() for column in columns], axis=1),
            )


def _from_npz(table, key, names):
    # Opened here, since numpy leaves it open where it is no archive.
    with open_regular(table) as file, np.load(file, allow_pickle=False) as arrays:
        if json.loads(str(arrays["settings"])).get("key") != key:
            return
        facts = {
            name: arrays[name].tolist() for name in (*_EARLIER_FACTS, "frame") if name in arrays
        }
        facts["error"] = [error or None for error in facts["error"]]
        facts["notes"] = [notes or None for notes in facts["notes"]]
        facts["duration"] = [
            None if seconds != seconds else seconds for seconds in facts["duration"]
        ]
        facts["sr"] = [None if sr == -1 else sr for sr in facts["sr"]]
        yield facts, arrays["embeddings"]


def _from_csv(table, key, names):
    import pandas as pd

    settings = json.loads(read_regular(settings_beside(table)))
    if settings.get("key") != key:
        return
    if settings.get("sha256") != file_digest(table):
        raise ValueError("it was changed since it was written")
    kinds = {"digest": str, "error": str, "notes": str, **dict.fromkeys(names, np.float32)}
    with open_regular(table) as stream, pd.read_csv(stream, dtype=kinds, chunksize=2**14) as frames:
        for frame in frames:
            kept = [name for name in (*_EARLIER_FACTS, "frame") if name in frame]
            values = frame[kept].astype(object).where(frame[kept].notna(), None)
            facts = {name: values[name].tolist() for name in kept}
            facts["sr"] = [None if sr is None else int(sr) for sr in facts["sr"]]
            yield facts, frame[names].to_numpy()


def _clips(batches: Iterable[tuple[dict[str, list], np.ndarray]]) -> Iterator[ClipRecord]:
    """Join the rows of each clip, also where a batch ends inside it; leave failed clips out."""
    known: dict = {}
    blocks: list[np.ndarray] = []
    for facts, numbers in batches:
        frames = facts.get("frame") or [None] * len(numbers)
        starts = [row for row, frame in enumerate(frames) if not frame]
        ends = [*starts[1:], len(numbers)]
        if blocks:
            blocks.append(numbers[: starts[0] if starts else None])
        for start, end in zip(starts, ends):
            yield from _record(known, blocks)
            known = {name: facts[name][start] for name in _EARLIER_FACTS}
            blocks = [numbers[start:end]]
    yield from _record(known, blocks)


def _record(known: dict, blocks: list[np.ndarray]) -> Iterator[ClipRecord]:
    if not blocks:
        return
    for name, kinds in _KINDS.items():
        if not isinstance(known[name], kinds):
            raise TypeError(f"its column {name!r} holds {known[name]!r}")
    if known["error"] is None and known["digest"]:
        yield ClipRecord(**known, rows=np.concatenate(blocks).astype(np.float32).ravel())


@contextmanager
def lock_output(out: Path) -> Iterator[None]:
    """Keep other processes from writing `out` at the same time.

    The lock is a hidden file beside `out`. It is left there: whoever removes a lock file lets a
    process that waits for the removed one and a process that makes a new one in at the same time.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=0)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise OSError(
            bounded(f"Another process is writing '{out}'; wait for it, or choose another name.")
        ) from error
    except OSError as error:
        raise type(error)(
            bounded(
                f"'{out}' cannot be written into its folder ({error.strerror or error}); choose "
                "another one."
            )
        ) from error
    try:
        yield
    finally:
        lock.release()


# Rows are written in batches of about so many, which bounds the memory.
_BATCH_BYTES = 2**25
_BATCH_ROWS = 2**14
_MISSING: dict[str, object] = {"int64": -1, "double": np.nan, "string": "", "bool": False}


@dataclass(frozen=True)
class Batch:
    """Some rows of the table: facts as lists by column, and numbers (n_rows, n_columns)."""

    facts: dict[str, list]
    numbers: np.ndarray


def batches(clips: Iterable[tuple[dict, np.ndarray]]) -> Iterator[Batch]:
    """Join clips, each facts and rows, to batches; facts that are lists have one entry a row."""
    facts: dict[str, list] = {}
    blocks: list[np.ndarray] = []
    n_rows = n_bytes = 0
    for known, rows in clips:
        for name, value in known.items():
            values = value if isinstance(value, list) else [value] * len(rows)
            facts.setdefault(name, []).extend(values)
        blocks.append(rows)
        n_rows += len(rows)
        n_bytes += rows.nbytes
        if n_rows >= _BATCH_ROWS or n_bytes >= _BATCH_BYTES:
            yield Batch(facts, np.concatenate(blocks))
            facts, blocks, n_rows, n_bytes = {}, [], 0, 0
    if blocks:
        yield Batch(facts, np.concatenate(blocks))


def write_parquet(
    path: Path, rows: Iterable[Batch], *, types: dict, names, settings: dict, n_rows: int
) -> None:
    """Write a Parquet file: a column for every fact and every number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [*types.items(), *((name, "float") for name in names)]
    schema = pa.schema(
        [(name, pa.type_for_alias(kind)) for name, kind in fields],
        metadata={"skmer": json.dumps(settings)},
    )
    with pq.ParquetWriter(path, schema, write_page_checksum=True) as writer:
        for batch in rows:
            columns = [*batch.facts.values(), *np.ascontiguousarray(batch.numbers.T)]
            arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types)]
            writer.write_table(pa.table(arrays, schema=schema))


def write_npz(
    path: Path, rows: Iterable[Batch], *, types: dict, names, settings: dict, n_rows: int
) -> None:
    """Write a npz file: an array for every fact, and all numbers as the array "embeddings"."""
    facts: dict[str, list] = {name: [] for name in types}
    header = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, len(names))}
    with ZipFile(path, "w") as archive:
        with archive.open(ZipInfo("embeddings.npy"), "w", force_zip64=True) as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for batch in rows:
                stream.write(np.ascontiguousarray(batch.numbers, "<f4").tobytes())
                for name, values in batch.facts.items():
                    facts[name] += values
        arrays = {name: _filled(values, types[name]) for name, values in facts.items()}
        arrays["columns"] = np.array(names, dtype=str)
        arrays["settings"] = np.array(json.dumps(settings))
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def write_csv(
    path: Path, rows: Iterable[Batch], *, types: dict, names, settings: dict, n_rows: int
) -> None:
    """Write a csv file; texts that a spreadsheet would run get an apostrophe in front."""
    import pandas as pd

    texts = [name for name, kind in types.items() if kind == "string"]
    with path.open("w", encoding="utf-8", newline="") as stream:
        for at, batch in enumerate(rows):
            facts = {name: pd.array(values, dtype=object) for name, values in batch.facts.items()}
            frame = pd.DataFrame(facts)
            frame[texts] = frame[texts].map(escape_formula)
            numbers = pd.DataFrame(batch.numbers, columns=names)
            pd.concat([frame, numbers], axis=1).to_csv(stream, index=False, header=at == 0)


def _filled(values: list, kind: str) -> np.ndarray:
    """An array that needs no pickle: numpy has no word for a missing integer or string."""
    return np.array([_MISSING[kind] if value is None else value for value in values])


@dataclass(frozen=True)
class Extraction:
    """What `extract` returns.

    Parameters
    ----------
    path : pathlib.Path
        The table that was written.
    n_clips : int
        Clips in it.
    n_rows : int
        Rows in it: one a clip, or one a frame.
    n_computed : int
        Clips computed by this call; the others were finished by an earlier one.
    n_failed : int
        Clips that could not be read; the column ``error`` says why.
    """

    path: Path
    n_clips: int
    n_rows: int
    n_computed: int
    n_failed: int


# Parameters of transformers, and fields of recipes, that change no number.
_CHANGE_NO_NUMBER = ("memory", "n_jobs", "on_error", "verbose")
_NO_PART_OF_KEY = ("weights", "batch_size")


def recipe_key(recipes: list[Recipe], names: list[str]) -> str:
    """Name all that decides the numbers: parts of another key never reach this table."""
    decisive = {
        "recipes": [
            {
                "recipe": recipe.kind,
                "resampler_version": resampler_version(recipe.resampler),
            }
            | _deciding_fields(recipe)
            for recipe in recipes
        ],
        "columns": names,
        "skmer": __version__,
    }
    return settings_digest(decisive)[:16]


def _deciding_fields(recipe: Recipe) -> dict:
    return {
        one.name: getattr(recipe, one.name)
        for one in fields(recipe)
        if one.name not in _NO_PART_OF_KEY and one.metadata.get("key", True)
    }


def settings_of(transformers: list[BaseClipTransformer], frames: bool) -> dict:
    """Say in the table what it holds."""
    import soxr

    described = [
        {
            "transformer": type(one).__name__,
            "parameters": {
                name: _describe_value(value)
                for name, value in one.get_params().items()
                if name not in _CHANGE_NO_NUMBER
            },
            "weights": getattr(one, "weights_label_", None),
            "weights_digest": getattr(one, "weights_digest_", None),
        }
        for one in transformers
    ]
    return {
        "features": described,
        "rows": "frames" if frames else "clips",
        "versions": {"skmer": __version__, "numpy": np.__version__, "soxr": soxr.__version__},
    }


def _describe_value(value):
    if isinstance(value, int | float | str | None):
        return value
    # The representation of a function holds an address, another one in every process.
    return function_name(value) if callable(value) else repr(value)

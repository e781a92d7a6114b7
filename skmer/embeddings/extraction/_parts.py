"""The finished parts of an extraction: small files that outlive a kill, each whole or absent."""

import hashlib
import io
import os
import shutil
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from skmer.exceptions import IgnoredCacheWarning, bounded
from skmer.utils.files._damage import DAMAGE
from skmer.utils.files._digest import read_regular

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

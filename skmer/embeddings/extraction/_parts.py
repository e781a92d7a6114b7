"""The finished parts of an extraction: small files that outlive a kill, each whole or absent."""

import os
import uuid
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from skmer.exceptions import IgnoredCacheWarning

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
class Place:
    """Where the record of a clip is, and how many numbers its rows have."""

    part: Path
    index: int
    size: int


class Parts:
    """The parts in a folder that were made with one set of settings, told apart by `key`."""

    def __init__(self, folder: Path, key: str):
        self.folder = folder
        self.key = key
        self._load = lru_cache(maxsize=_OPEN_PARTS)(_load)

    def finished(self) -> dict[str, Place]:
        """Return the places of the clips that were computed, by their digests.

        Failed clips are not among them: what kept them from being read may have passed.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        places = {}
        for path in self._mine():
            try:
                rows = pq.read_table(path, columns=["digest", "error", "size"]).to_pylist()
            except (pa.ArrowException, OSError):
                warnings.warn(
                    f"The part {path} is damaged; its clips are computed again.",
                    IgnoredCacheWarning,
                    stacklevel=2,
                )
                path.unlink(missing_ok=True)
                continue
            for index, row in enumerate(rows):
                if row["digest"] is not None and row["error"] is None:
                    places[row["digest"]] = Place(path, index, row["size"])
        return places

    def n_foreign(self) -> int:
        """Count the parts of extractions with other settings."""
        return sum(1 for _ in self.folder.glob("*.parquet")) - len(self._mine())

    def write(self, records: list[ClipRecord]) -> list[Place]:
        """Write one part; return the places of its records."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = (pa.string(), pa.float64(), pa.int64(), pa.string(), pa.string())
        facts = {
            name: pa.array([getattr(record, name) for record in records], kind)
            for name, kind in zip(_FACTS, types)
        }
        sizes = np.array([record.rows.size for record in records], np.int64)
        rows = pa.LargeListArray.from_arrays(
            np.concatenate([[0], np.cumsum(sizes)]),
            np.concatenate([record.rows.ravel() for record in records]),
        )
        path = self.folder / f"{self.key}-{uuid.uuid4().hex}.parquet"
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as stream:
                pq.write_table(pa.table({**facts, "size": sizes, "rows": rows}), stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return [Place(path, index, int(size)) for index, size in enumerate(sizes)]

    def read(self, place: Place) -> ClipRecord:
        """Return one record."""
        table = self._load(place.part)
        facts = {name: table[name][place.index].as_py() for name in _FACTS}
        return ClipRecord(**facts, rows=table["rows"][place.index].values.to_numpy())

    def remove(self) -> None:
        """Remove these parts, and what a kill left of one that was being written."""
        self._load.cache_clear()
        for path in [*self._mine(), *self.folder.glob(f"{self.key}-*.tmp")]:
            path.unlink(missing_ok=True)

    def _mine(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.key}-*.parquet"))


def _load(path: Path):
    """A part as an arrow table, its columns of one chunk each."""
    import pyarrow.parquet as pq

    return pq.read_table(path).combine_chunks()

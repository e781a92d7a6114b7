"""What an earlier run left: a finished table whose clips need not be computed again."""

import json
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from skmer.embeddings.extraction._checks import settings_beside
from skmer.embeddings.extraction._parts import ClipRecord
from skmer.exceptions import IgnoredCacheWarning
from skmer.utils._words import cut_middle
from skmer.utils.files._damage import DAMAGE
from skmer.utils.files._digest import file_digest, open_regular, read_regular

_KINDS = {
    "digest": str | None,
    "duration": float | None,
    "sr": int | None,
    "error": str | None,
    "notes": str | None,
}
_FACTS = tuple(_KINDS)


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
        facts = [name for name in file.schema_arrow.names if name in (*_FACTS, "frame")]
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
        facts = {name: arrays[name].tolist() for name in (*_FACTS, "frame") if name in arrays}
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
            kept = [name for name in (*_FACTS, "frame") if name in frame]
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
            known = {name: facts[name][start] for name in _FACTS}
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

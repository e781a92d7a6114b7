"""Tables of embeddings on disk, read again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skmer.utils.cache import DAMAGE
from skmer.utils.digest import file_digest, open_regular, read_regular
from skmer.utils.files import escape_formula, unescape_formula

# Read in batches of so many rows, which bounds the memory.
_BATCH_ROWS = 2**14


@dataclass
class StoredTable:
    """A table on disk: its settings, and a function that reads batches.

    ``read(facts, names)`` yields lists by the names of facts, with "frame" where a row is a frame,
    and the numbers of the columns called `names`.
    """

    settings: dict
    read: Callable[[list[str], list[str]], Iterator[tuple[dict, np.ndarray]]]


def open_table(path: Path) -> StoredTable:
    """Open a table that `extract` wrote."""
    return _READERS[path.suffix](path)


def _open_parquet(path: Path) -> StoredTable:
    import pyarrow.parquet as pq

    # Opened here, since pyarrow waits for ever where it is a pipe.
    with open_regular(path) as stream:
        schema = pq.read_schema(stream)
    settings = json.loads((schema.metadata or {}).get(b"skmer", b"{}"))

    def read(facts, names):
        facts = [name for name in (*facts, "frame", "time") if name in schema.names]
        listed = settings.get("columns")
        at = [listed.index(name) for name in names] if listed else []
        columns = [*facts, *(["embedding"] if listed else names)]
        with (
            open_regular(path) as stream,
            pq.ParquetFile(stream, page_checksum_verification=True) as file,
        ):
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                if listed:
                    numbers = batch["embedding"].flatten().to_numpy().reshape(len(batch), -1)[:, at]
                else:
                    numbers = np.stack([batch[name].to_numpy() for name in names], axis=1)
                yield batch.select(facts).to_pydict(), numbers

    return StoredTable(settings, read)


def _open_npz(path: Path) -> StoredTable:
    # Opened here, since numpy leaves it open where it is no archive.
    with open_regular(path) as file, np.load(file, allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays}
    settings, listed = json.loads(str(held["settings"])), held["columns"].tolist()
    texts = ("error", "notes", *(n for n, k in settings.get("own", {}).items() if k == "string"))

    def read(facts, names):
        if names != listed:
            held["embeddings"] = held["embeddings"][:, [listed.index(name) for name in names]]
        found = {n: held[n].tolist() for n in (*facts, "frame", "time") if n in held}
        for name in texts:
            found |= {name: [text or None for text in found[name]]} if name in found else {}
        if "sr" in found:
            found["sr"] = [None if sr < 0 else sr for sr in found["sr"]]
        yield found, held["embeddings"]

    return StoredTable(settings, read)


def _open_csv(path: Path) -> StoredTable:
    import pandas as pd

    try:
        settings = json.loads(read_regular(settings_beside(path)))
    except FileNotFoundError:
        # Of somebody else; it raises where there is no table either.
        open_regular(path).close()
        return StoredTable({}, lambda *_: iter(()))
    if settings.get("sha256") != file_digest(path):
        raise ValueError("it was changed since it was written")
    own = settings.get("own", {})

    def read(facts, names):
        texts = ["path", "digest", "error", "notes", *(n for n in own if own[n] == "string")]
        kinds = dict.fromkeys(texts, str) | dict.fromkeys(names, np.float32)
        wanted = {*facts, "frame", "time", *names}
        with open_regular(path) as stream:
            for frame in pd.read_csv(
                stream,
                dtype=kinds | dict.fromkeys(map(escape_formula, texts), str),
                chunksize=_BATCH_ROWS,
                keep_default_na=False,
                na_values={name: [""] for name in (*texts, "sr", "duration", "frame", "time", *own)}
                | {name: ["", "nan"] for name in names},
            ):
                frame = frame.rename(columns=unescape_formula)
                found = frame[[name for name in frame if name in wanted and name not in names]]
                integers = [n for n in found if n in ("sr", "frame") or own.get(n) == "int64"]
                found = found.astype(dict.fromkeys(integers, "Int64")).astype(object)
                found = found.where(found.notna(), None)
                lists = found.to_dict("list")
                for name in texts:
                    if name in lists:
                        lists[name] = [v if v is None else unescape_formula(v) for v in lists[name]]
                yield lists, frame[names].to_numpy()

    return StoredTable(settings, read)


_READERS: dict[str, Callable] = {".parquet": _open_parquet, ".npz": _open_npz, ".csv": _open_csv}


def names_and_digests(place, name: str) -> Iterator[tuple[str, str | None]]:
    """Yield the path of each clip of a Parquet table, and its digest, None where it failed."""
    import pyarrow.parquet as pq

    with place.open(name) as stream:
        table = pq.read_table(stream, columns=["path", "digest", "error"]).to_pydict()
    for path, digest, error in zip(table["path"], table["digest"], table["error"]):
        yield path, digest if error is None else None


def count_clips(path: Path) -> int:
    """Return how many clips a table has, whoever wrote it; 0 where it cannot be read."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = ("path", "frame", "time")
    try:
        with open_regular(path) as file:
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
                if not {"frame", "time"}.intersection(found):
                    return parquet.metadata.num_rows
                table = parquet.read(found).to_pandas()
    except (pa.ArrowException, *DAMAGE):
        return 0
    if "frame" in table:
        return int((table["frame"].isna() | (table["frame"] <= 0)).sum())
    if "time" in table and len(table):
        # Of predictions, the moments of a clip follow one another.
        return int((table["path"] != table["path"].shift()).sum())
    return len(table)


def settings_beside(table: Path) -> Path:
    """Return where the settings of a csv table are, which has no room for them."""
    return table.with_name(f"{table.name}.json")

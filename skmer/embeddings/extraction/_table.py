"""From finished clips to one table on disk, a batch of rows at a time."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np

from skmer.utils.files._spreadsheets import disarm

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
            frame[texts] = frame[texts].map(disarm)
            numbers = pd.DataFrame(batch.numbers, columns=names)
            pd.concat([frame, numbers], axis=1).to_csv(stream, index=False, header=at == 0)


def _filled(values: list, kind: str) -> np.ndarray:
    """An array that needs no pickle: numpy has no word for a missing integer or string."""
    return np.array([_MISSING[kind] if value is None else value for value in values])

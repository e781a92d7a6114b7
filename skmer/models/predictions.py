"""Files of predictions, written a batch at a time: csv, JSON and Parquet."""

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skmer.embeddings import sources, stored, tables
from skmer.embeddings.extraction import unfinished_cache
from skmer.exceptions import InputError
from skmer.models.predict import Predictor, is_extracted
from skmer.utils.cache import warn_of_cache
from skmer.utils.files import atomic_write, check_output_file, escape_formula, is_url
from skmer.utils.remote import Place

_SUFFIXES = (".csv", ".json", ".parquet")
_BATCH = 1024


@dataclass(frozen=True)
class PredictionFile:
    """What `write_predictions` returns.

    Parameters
    ----------
    path : pathlib.Path or str
        The file, or its URL.
    n_rows : int
        Rows in it.
    n_failed : int
        Rows with an error.
    n_noted : int
        Rows without an error whose clip has a note.

    Examples
    --------
    >>> from skmer.models import PredictionFile
    >>> PredictionFile("moods.csv", n_rows=20, n_failed=1, n_noted=0).n_failed
    1
    """

    path: Path | str
    n_rows: int
    n_failed: int
    n_noted: int


def write_predictions(
    model,
    paths,
    out: str | os.PathLike,
    *,
    frames: bool = False,
    hop_size: float | None = None,
    targets: Sequence[str] | None = None,
    strict: bool = False,
    force: bool = False,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> PredictionFile:
    """Predict the emotion of any number of clips, and write the rows to a file.

    Each clip's embedding is kept as soon as it is finished: in the cache of the model's
    transformer (`memory`), or in a hidden folder beside the file, which is removed when the file is
    whole. After a kill the same call goes on from there.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        As of `predict_clips`, as are the others.
    paths : clips, iterator of clips, or path
        Of an iterator no more than some thousand entries are held at once.
    out : str or path-like
        The file, ``.csv``, ``.json`` or ``.parquet``; with the extra ``remote`` it may be a URL.
    frames : bool, default=False
        A row for every frame.
    hop_size : float, default=None
        With `frames`, seconds between two rows of a clip.
    targets : sequence of str, default=None
        Names of what a regressor predicts.
    strict : bool, default=False
        Whether a clip with a note gets that as its error.
    force : bool, default=False
        Replace a file by one of fewer clips, which is an error otherwise.
    memory : str, path-like or joblib.Memory, default=None
        Folder of the cache of embeddings.
    n_jobs : int, default=None
        Number of jobs over clips.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    written : PredictionFile
        Counts. In a csv file, texts that a spreadsheet would take for a formula have an apostrophe
        in front.

    Raises
    ------
    OSError
        When the file cannot be written, or another process is writing it.
    InputError, InputTypeError
        As of `predict_clips`, and where the file would lose clips.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.models import write_predictions
    >>> toy = load_toy_emotions()
    >>> model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    >>> model = model.fit(toy.data[::8], toy.target[::8])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_predictions(model, iter(toy.data[:5]), f"{folder}/moods.parquet").n_rows
    5
    """
    predictor = Predictor(model, frames, hop_size, targets, strict, memory, n_jobs, verbose)
    place, name = _check_out(out)
    path = place.fetch(name)
    n_rows = n_failed = n_noted = n_clips = 0
    with tables.locked(path):
        n_before = 0 if force else stored.count_clips(path)
        total = None if is_extracted(paths) else sources.count(paths)
        if total is not None:
            tables.check_not_fewer(place.show(name), n_before, total, append=False)
        if not predictor.has_cache:
            predictor.unfinished = unfinished_cache(path, predictor.key)
        with (
            closing(predictor.stream(paths, _BATCH)) as batches,
            atomic_write(path) as temporary,
            closing(_WRITERS[path.suffix](temporary, predictor.rest)) as writer,
        ):
            next(writer)
            for batch in batches:
                writer.send(batch)
                failed = batch["error"].notna()
                n_rows, n_failed = n_rows + len(batch), n_failed + int(failed.sum())
                n_noted += int((batch["notes"].notna() & ~failed).sum())
            n_clips = predictor.n_clips
            tables.check_not_fewer(place.show(name), n_before, n_clips, append=False)
        if predictor.unfinished is not None:
            shutil.rmtree(predictor.unfinished, ignore_errors=True)
    place.store(name)
    warn_of_cache(predictor.cache_errors, stacklevel=2)
    return PredictionFile(place.show(name), n_rows, n_failed, n_noted)


def _check_out(out: str | os.PathLike) -> tuple[Place, str]:
    text = os.fspath(out)
    if os.path.splitext(text)[1] not in _SUFFIXES:
        raise InputError(f"'out' must end in {', '.join(_SUFFIXES)}. Got '{out}'.", param="out")
    if is_url(text):
        folder, _, name = text.rpartition("/")
        return Place(folder), name
    path = check_output_file(out)
    return Place(path.parent), path.name


def _write_csv(path: Path, rest) -> Generator[None, Any, None]:
    header = True
    with path.open("w", encoding="utf-8", newline="") as stream:
        while True:
            batch = yield
            escape_formula(batch).to_csv(stream, index=False, header=header, lineterminator="\n")
            header = False


def _write_json(path: Path, rest) -> Generator[None, Any, None]:
    between = "[\n"
    with path.open("w", encoding="utf-8") as stream:
        try:
            while True:
                batch = yield
                rows = batch.to_json(orient="records", indent=2, force_ascii=False)
                stream.write(between + rows.strip()[1:-1].strip("\n"))
                between = ",\n"
        finally:
            stream.write("[]" if between == "[\n" else "\n]")


def _write_parquet(path: Path, rest) -> Generator[None, Any, None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    batch = yield
    texts = dict.fromkeys(("path", "error", "notes", "tags"), pa.string())
    if "label" in batch:
        texts["label"] = pa.array(rest.classes_).type
    schema = pa.schema([(name, texts.get(name, pa.float64())) for name in batch])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while True:
            writer.write_table(pa.Table.from_pandas(batch, schema, preserve_index=False))
            batch = yield


_WRITERS: dict[str, Callable[..., Generator[None, Any, None]]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}

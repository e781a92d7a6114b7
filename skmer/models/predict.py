"""Predictions for clips, one row a clip or one a moment, of any number of them."""

import copy
import csv
import io
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from sklearn.base import is_classifier

from skmer.classifiers import TagClassifier
from skmer.embeddings import BaseClipTransformer, settings, shards, sources, tables
from skmer.exceptions import InputError
from skmer.models.file import split_pipeline
from skmer.pooling import align_frames, pad_frames, pool_frames
from skmer.utils import cache, files, floats, messages, progress, remote

if TYPE_CHECKING:
    import pandas as pd

# Facts of a clip, in a table that is predicted from.
_LAST = ("error", "notes")
_FACTS = ("path", "start", "end", *_LAST)
_BATCH = 1024


def predict_clips(
    model,
    paths,
    *,
    frames: bool = False,
    hop_size: float | None = None,
    targets: Sequence[str] | None = None,
    strict: bool = False,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> "pd.DataFrame":
    """Predict the emotion of clips; one that cannot be read is a row with an error.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted, as from `load_model`, or a fitted search over one; the first step embeds clips.
    paths : clips in any form that the model's ``predict`` takes, iterator of clips, or path
        Such as paths, URLs (with the extra ``remote``), `Segment` parts of files, open binary
        files, waveforms, pairs of waveform and sr, a column of a data frame, names with the
        content of a file as bytes, and archives (.tar). Or the path of the table, or the folder of
        shards, that `extract` wrote with the settings and weights of the model.
    frames : bool, default=False
        A row for every frame of the embedding, with its time, instead of one for the clip.
    hop_size : float, default=None
        With `frames`, seconds between two rows of a clip, each predicted from the mean of the
        frames within half of it: the step of the targets that the model was fitted to. None = a row
        for every frame.
    targets : sequence of str, default=None
        Names of what a regressor predicts; None = those of the targets that ``result.fit`` or
        ``skmer train`` fitted it to, else arousal and valence where it is two numbers, or "target".
    strict : bool, default=False
        Whether a clip with a note gets that as its error, and no prediction.
    memory : str, path-like or joblib.Memory, default=None
        Folder of the cache of embeddings; None = that of the model's transformer.
    n_jobs : int, default=None
        Number of jobs over clips, in joblib's meaning.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    predictions : pandas.DataFrame
        The columns path, missing for clips without a name; of segments start and end [s]; with
        `frames` time [s]; of a classifier label and ``proba_*`` for each class, where it gives
        probabilities, of a `TagClassifier` tags (with semicolons between them) and ``proba_*`` for
        each tag, of a regressor one column for each target; error, the reason why a clip could not
        be read, missing for the others; and notes, of what makes a prediction doubtful ("silent",
        "short" of one frame, "cut", "loud" or "faint", as in the tables of `extract`), missing
        where there are none.

    Raises
    ------
    InputError, InputTypeError
        For a model or clips that are not as above, with `frames` a pooling that a single frame
        does not have, or a table that was made in another way.

    See Also
    --------
    predict_batches : The same for any number of clips, in bounded memory.
    write_predictions : Writes them to a file, and goes on after a kill.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.models import predict_clips
    >>> toy = load_toy_emotions()
    >>> model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    >>> model = model.fit(toy.data[::8], toy.target[::8])
    >>> predicted = predict_clips(model, [toy.data[0], "missing.wav"])
    >>> predicted["label"].notna().tolist(), predicted["error"][1]
    ([True, False], 'the file does not exist.')
    """
    predictor = Predictor(model, frames, hop_size, strict, memory, n_jobs, verbose, targets)
    (predictions,) = predictor.stream(paths, None)
    cache.warn_of_cache(predictor.embedder.cache_errors, stacklevel=2)
    return predictions.as_frame()


def predict_batches(
    model,
    paths,
    *,
    batch_size: int = 1024,
    frames: bool = False,
    hop_size: float | None = None,
    targets: Sequence[str] | None = None,
    strict: bool = False,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> "Iterator[pd.DataFrame]":
    """Predict the emotion of any number of clips, and yield the rows of a batch at a time.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        As of `predict_clips`, as are the others.
    paths : clips, iterator of clips, or path
        Of an iterator no more than some thousand entries are held at once.
    batch_size : int, default=1024
        Clips, or rows of a table, in a batch.
    frames : bool, default=False
        A row for every frame.
    hop_size : float, default=None
        With `frames`, seconds between two rows of a clip.
    targets : sequence of str, default=None
        Names of what a regressor predicts.
    strict : bool, default=False
        Whether a clip with a note gets that as its error.
    memory : str, path-like or joblib.Memory, default=None
        Folder of the cache of embeddings.
    n_jobs : int, default=None
        Number of jobs over clips.
    verbose : bool, default=False
        Show a progress bar on standard error.

    Returns
    -------
    batches : iterator of pandas.DataFrame
        The next rows, in order; of the same columns each.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmer import MFCCStatsTransformer
    >>> from skmer.datasets import load_toy_emotions
    >>> from skmer.models import predict_batches
    >>> toy = load_toy_emotions()
    >>> model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
    >>> model = model.fit(toy.data[::8], toy.target[::8])
    >>> [len(batch) for batch in predict_batches(model, iter(toy.data[:5]), batch_size=2)]
    [2, 2, 1]
    """
    messages.check_whole("predict_batches", batch_size=batch_size)
    predictor = Predictor(model, frames, hop_size, strict, memory, n_jobs, verbose, targets)
    return map(Predictions.as_frame, predictor.stream(paths, batch_size))


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
    predictor = Predictor(model, frames, hop_size, strict, memory, n_jobs, verbose, targets)
    write = _WRITERS.get(os.path.splitext(os.fspath(out))[1])
    if write is None:
        raise InputError(f"'out' must end in {', '.join(_WRITERS)}. Got '{out}'.", param="out")
    place, name = remote.place_of(out)
    path = place.fetch(name)
    with tables.locked(path):
        n_before = 0 if force else tables.count_clips(path)
        total = None if is_extracted(paths) else sources.count(paths)
        if total is not None:
            tables.check_not_fewer(place.show(name), n_before, total, append=False)
        with (
            predictor.embedder.keep(path),
            closing(predictor.stream(paths, _BATCH)) as batches,
            files.atomic_write(path) as temporary,
        ):
            write(temporary, batches, predictor.rest)
            tables.check_not_fewer(place.show(name), n_before, predictor.n_clips, append=False)
    place.store(name)
    cache.warn_of_cache(predictor.embedder.cache_errors, stacklevel=2)
    return PredictionFile(place.show(name), predictor.n_rows, predictor.n_failed, predictor.n_noted)


def _write_json(path: Path, batches: "Iterator[Predictions]", rest) -> None:
    with path.open("w", encoding="utf-8") as stream:
        between = "[\n"
        for batch in batches:
            rows = batch.as_frame().to_json(orient="records", indent=2, force_ascii=False)
            stream.write(between + rows.strip()[1:-1].strip("\n"))
            between = ",\n"
        stream.write("\n]")


def _write_parquet(path: Path, batches: "Iterator[Predictions]", rest) -> None:
    import pyarrow.parquet as pq

    first = next(batches)
    kinds = dict.fromkeys(("path", "error", "notes", "tags"), pa.string())
    if "label" in first.predicted:
        kinds["label"] = pa.array(rest.classes_).type
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in first.names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in itertools.chain([first], batches):
            table = pa.Table.from_pandas(batch.as_frame(), schema, preserve_index=False)
            writer.write_table(table)


def _write_csv(path: Path, batches: "Iterator[Predictions]", rest) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        for at, batch in enumerate(batches):
            stream.write(batch.to_csv(header=not at))


_WRITERS: dict[str, Callable] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}


@dataclass(frozen=True)
class Predictions:
    """The rows of some clips: what is stated of each, and what is predicted of those `at`."""

    facts: dict
    predicted: Mapping[str, np.ndarray]
    at: np.ndarray

    @property
    def names(self) -> list[str]:
        """The columns."""
        return [*(name for name in self.facts if name not in _LAST), *self.predicted, *_LAST]

    def as_frame(self):
        """Return the rows as a table; only this needs pandas, whose import takes long."""
        import pandas as pd

        n_rows, table = len(self.facts["path"]), {}
        for name, values in self.facts.items():
            table[name] = pd.Series(values, dtype=object if isinstance(values, list) else float)
        for name, values in self.predicted.items():
            column = pd.Series(values, index=self.at)
            if len(values) < n_rows and column.dtype.kind in "iub":
                # Whole numbers stay whole numbers beside missing ones.
                column = column.convert_dtypes()
            table[name] = column.reindex(range(n_rows))
        return pd.DataFrame(table)[self.names]

    def to_csv(self, *, header: bool) -> str:
        """Return the rows as lines, of the same text as those of `DataFrame.to_csv`."""
        columns = dict(self.facts)
        for name, values in self.predicted.items():
            cells = dict(zip(self.at, values))
            columns[name] = [cells.get(row) for row in range(len(self.facts["path"]))]
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        if header:
            writer.writerow(map(files.escape_formula, self.names))
        for row in zip(*(columns[name] for name in self.names)):
            writer.writerow([files.escape_formula(cell) if cell == cell else None for cell in row])
        return lines.getvalue()


class Predictor:
    """A model, and how it is asked; it turns a stream of clips into batches of rows."""

    def __init__(self, model, frames, hop_size, strict, memory, n_jobs, verbose, targets=None):
        self.transformers, self.rest = split_pipeline(model)
        if frames:
            _check_frames(self.transformers)
        if hop_size is not None and not (frames and hop_size > 0):
            allowed = "a number of seconds above 0, and is for frames=True"
            raise messages.wrong_parameter("", "hop_size", allowed, hop_size)
        self.frames, self.hop_size, self.targets, self.strict = frames, hop_size, targets, strict
        self.verbose = verbose
        # As extract has them in a table: without pooling where a row is a frame.
        self.extracted = [_without_pooling(one) if frames else one for one in self.transformers]
        self.embedder = sources.Embedder(
            self.extracted, memory=memory, n_jobs=n_jobs, verbose=verbose
        )
        self.n_clips = self.n_rows = self.n_failed = self.n_noted = 0

    def stream(self, paths, size: int | None):
        """Return an iterator of the rows of so many clips each; None = of all at once."""
        if is_extracted(paths):
            stored = _open_tables(paths, self)
            # Those at URLs are fetched one after the other.
            opened = stored if files.is_url(paths) else list(stored)
            clips = (clip for table in opened for clip in table.clips(self.embedder.names))
            shown = progress.track(clips, description="predicting", enabled=self.verbose)
            return self._batches(shown, size)
        rate = self.embedder.rates[0]
        entries = sources.entries_of(paths, rate)
        given = sources.stream(entries, rate, strict=False)
        return self._batches(self.embedder.embed(given, total=sources.count(entries)), size)

    def _batches(self, clips, size: int | None):
        """Predict clips as they come."""
        with_ends = None
        with closing(clips):
            while batch := list(itertools.islice(clips, size)):
                has_ends = any(clip.start is not None for clip in batch)
                with_ends = has_ends if with_ends is None else with_ends
                if has_ends and not with_ends:
                    raise sources.late_segment()
                self.n_clips += len(batch)
                rows = self._rows_of(batch, with_ends)
                notes = rows.facts["notes"]
                self.n_rows += len(notes)
                self.n_failed += len(notes) - len(rows.at)
                self.n_noted += sum(notes[row] is not None for row in rows.at)
                yield rows
        if with_ends is None:
            raise InputError("The iterator of clips has none.")

    def _rows_of(self, batch: list, with_ends: bool) -> Predictions:
        """Predict clips that were embedded: one row each, or one a frame, or one with an error."""
        facts: dict = {name: [] for name in (*_FACTS, "time")}
        numbers = []
        for clip in batch:
            error, rows, times = self._error_of(clip), clip.rows, np.array([np.nan])
            if error is None and self.frames:
                rows, times = self._moments(rows)
            if error is None:
                numbers.append(rows)
            for name in _FACTS:
                stated = error if name == "error" else getattr(clip, name)
                facts[name] += [stated] * len(times)
            facts["time"] += list(times)
        seconds = (["start", "end"] if with_ends else []) + (["time"] if self.frames else [])
        facts |= {name: np.array(facts[name], dtype=float) for name in seconds}
        facts = {name: facts[name] for name in ("path", *seconds, *_LAST)}
        at = np.array([row for row, error in enumerate(facts["error"]) if error is None], int)
        return Predictions(facts, self._predict(numbers), at)

    def _error_of(self, clip: tables.ClipRows) -> str | None:
        """Return why a clip has no prediction: with `strict`, its notes are a reason."""
        if clip.error is not None or clip.notes is None or not self.strict:
            return clip.error
        return f"the clip is {clip.notes}, which is an error where 'strict' is set."

    def _moments(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is predicted from the frames of a clip, and the times [s]."""
        first = self.transformers[0]
        times = first.frame_times(len(rows))
        if self.hop_size is not None:
            steps = _steps(times, self.hop_size)
            rows, times = align_frames(rows, times, steps), steps
        # Each frame has the columns that a clip of this one frame would have.
        return np.stack([pool_frames(row[None], _statistics(first)) for row in rows]), times

    def _predict(self, numbers: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the columns that are predicted, also where no clip is good."""
        first, n_rows = self.transformers[0], None if numbers else 0
        is_sequence, n_frames = _statistics(first) is None, getattr(first, "n_frames", None)
        if not numbers:
            # The columns are those of any clip, here of one of zeros.
            width = len(settings.column_names(self.transformers))
            numbers = [np.zeros(((n_frames or 64) if is_sequence else 1, width), np.float32)]
        rows = pad_frames(numbers, n_frames) if is_sequence else np.concatenate(numbers)
        predicted = _predict(self.rest, rows, self.targets)
        return {name: values[:n_rows] for name, values in predicted.items()}


def _steps(times: np.ndarray, hop_size: float) -> np.ndarray:
    """Return the multiples of a step that frames at some times are near to."""
    if not len(times):
        return times
    first, last = times[0] / hop_size, times[-1] / hop_size
    return hop_size * np.arange(round(first), max(round(first), round(last)) + 1)


def is_extracted(paths) -> bool:
    """Return whether something is the path of a table, or of a folder of shards, of `extract`.

    A csv file is one where its settings are beside it; any other lists clips.
    """
    if not isinstance(paths, str | os.PathLike):
        return False
    name = os.fspath(paths).rstrip("/")
    suffix = os.path.splitext(name)[1]
    beside = f"{name}.json" if suffix == ".csv" else f"{name}/{shards.MANIFEST}"
    if files.is_url(name):
        return suffix in (".parquet", ".npz") or (suffix in ("", ".csv") and remote.exists(beside))
    return suffix in (".parquet", ".npz") or files.expand_path(beside).is_file()


def _without_pooling(transformer: BaseClipTransformer) -> BaseClipTransformer:
    return copy.copy(transformer).set_params(**{transformer._pooling_name: None})


def _open_tables(paths, predictor: Predictor) -> Iterator[tables.StoredTable]:
    """Yield the tables of a file or a folder; raise where they are not of the model's settings."""
    names = [str(paths)]
    is_file = names[0].endswith(tables.SUFFIXES)
    if not is_file if files.is_url(paths) else files.expand_path(paths).is_dir():
        with remote.fetched(f"{str(paths).rstrip('/')}/{shards.MANIFEST}") as manifest:
            listed = shards.read_manifest(remote.Place(manifest.parent))["shards"]
        names = [f"{str(paths).rstrip('/')}/{shard['file']}" for shard in listed]
    for name in names:
        with remote.fetched(name, *([f"{name}.json"] if name.endswith(".csv") else [])) as file:
            try:
                table = tables.open_table(file)
            except FileNotFoundError:
                raise InputError(f"There is no table '{name}'.") from None
            except (pa.ArrowException, *cache.DAMAGE) as error:
                raise InputError(f"The table '{name}' cannot be read ({error}).") from error
            settings.check_same(name, table.settings, predictor.extracted, frames=predictor.frames)
            yield table


def _statistics(transformer):
    """Return what a transformer takes over the frames of a clip; None = it leaves the frames."""
    return getattr(transformer, transformer._pooling_name)


def _check_frames(transformers) -> None:
    taken = _statistics(transformers[0])
    names = (taken,) if isinstance(taken, str) else tuple(taken or ())
    network = transformers[0]._pooling_name == "pooling" or names == ("mean",)
    if len(transformers) > 1 or not network or not names or "std" in names:
        raise InputError(
            "Predictions for each frame need a model on one network whose pooling a single frame "
            "has (mean, max or min); a deviation over time, a union or a sequence has none. "
            "Predict for whole clips, or cut them.",
            param="frames",
        )


@floats.numpy_defaults
def _predict(rest, rows, targets) -> dict[str, np.ndarray]:
    """Return the columns that are predicted."""
    fitted_to = getattr(rest, "feature_names_in_", None)
    if fitted_to is not None and rows.ndim == 2:
        import pandas as pd

        rows = pd.DataFrame(rows, columns=fitted_to)
    if is_classifier(rest):
        if isinstance(tagger := rest[-1], TagClassifier):
            names, shares = tagger.target_names_, rest.predict_proba(rows)
            has = shares >= tagger.thresholds_
            tags = [";".join(itertools.compress(names, row)) for row in has]
            columns = {f"proba_{name}": shares[:, i] for i, name in enumerate(names)}
            return {"tags": np.array(tags, dtype=object), **columns}
        predicted = {"label": rest.predict(rows)}
        if predicted["label"].ndim > 1:
            raise InputError(
                "A classifier of several tags must be in a TagClassifier, which has their names. "
                f"Got {type(rest[-1]).__name__}."
            )
        if hasattr(rest, "predict_proba"):
            shares = rest.predict_proba(rows)
            predicted |= {f"proba_{label}": shares[:, i] for i, label in enumerate(rest.classes_)}
        return predicted
    values = rest.predict(rows)
    values = values.reshape(len(values), -1)
    if targets is None:
        usual = ("arousal", "valence") if values.shape[1] == 2 else ("target",)
        targets = getattr(rest[-1], "target_names_", usual)
    if len(targets) != values.shape[1]:
        raise InputError(
            "The 'targets' parameter must name what the model predicts, "
            f"{messages.counted(values.shape[1], 'number')}. Got {list(targets)}.",
            param="targets",
        )
    return {name: values[:, i] for i, name in enumerate(targets)}

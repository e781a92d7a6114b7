"""The base class of the transformers of clips: rows, cache, errors, output."""

import warnings
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
from sklearn.utils import check_random_state, validation

from skmer.audio import reading, resampling, waveform
from skmer.embeddings import clips as forms
from skmer.embeddings.recipe import Recipe, embed_clip
from skmer.exceptions import AudioDecodeError, FailedClipsWarning, InputError
from skmer.pooling import STATISTICS, pad_frames
from skmer.utils import CacheEntry, cache, digest, messages, processes, progress
from skmer.utils import estimators as params

# From `_warn` to the line of the user's code.
_STACKLEVEL = 5
# What is larger is a mistake, which would ask for all the memory.
_MAX_HOP_SIZE = 3600


def whole(least: int, most: int) -> params.Interval:
    """Return what a parameter that counts may be: an integer from `least` to `most`."""
    return params.Interval(Integral, least, most, closed="both")


BatchSize = Annotated[int, whole(1, 2**16)]
Rate = Annotated[int, whole(1, reading.HIGHEST_SR)]


def seconds(least: float, most: float | None = _MAX_HOP_SIZE, *, closed="both") -> params.Interval:
    """Return what a parameter in seconds may be, by default one between two frames."""
    return params.Interval(Real, least, most, closed=closed)


@params.estimator
class BaseClipTransformer(params.TransformerMixin, params.BaseEstimator, ABC):
    """Base of the transformers from clips to vectors, skmer's own and those of others.

    Forms of X, reading, cache, pooling, jobs, bad clips, progress, names and data frames are done
    here; a subclass has what is its own. For a function that need not stay,
    `ClipFunctionTransformer` is shorter.

    A subclass has

    * ``_name``, what its columns and its progress bar are called;
    * ``_network_sr()``, the rate that its network wants [Hz]; ``_frame_size()``, the numbers of a
      frame; ``_hop_seconds()``, the seconds between two frames; ``_first_center()``, the centre of
      the first one, 0 where this is not given;
    * ``_recipe_class``, a `Recipe`: a small frozen dataclass with all that decides the numbers,
      which is handed to the workers. Its fields are filled with the parameters of the same names;
      ``_recipe(pooled=)`` may fill it in another way. Its ``kind`` and the fields that it names as
      ``decisive`` are the key of the cache, its ``compute`` turns blocks of the waveform into
      frames;
    * where there are parameters of its own, ``@dataclass(kw_only=True, eq=False, repr=False)`` and
      a field for each, or an ``__init__`` that stores all of them, and ``_parameter_constraints``
      beside it, as everywhere in scikit-learn;
    * ``_check_settings()`` for what the constraints cannot express, and ``_fit_network()``, which
      makes sure that a network can be loaded later. Both may be left out: of files among the
      decisive fields, names and digest become ``weights_label_`` and ``weights_digest_``, which
      `load_model` compares. A network whose weights are elsewhere sets these two there.

    A network is best loaded in ``compute``, behind `functools.lru_cache`: it is then there once in
    every process, not at all where all clips are in the cache, and never in a pickle. Workers are
    threads, unless `joblib.parallel_config` sets other ones.

    Parameters
    ----------
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = the network's own.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    pooling : {"mean", "std", "max", "min"}, tuple of those, or None, default="mean"
        Statistics over the frames of a clip, concatenated in this order. None: no pooling.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to that of the network.
    verbose : bool, default=False
        Show a progress bar over clips.

    See Also
    --------
    ClipFunctionTransformer : The same for a function.

    Examples
    --------
    Loudness and brightness of every half second, with everything that skmer's embeddings have:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from skmer.audio import Framing
    >>> from skmer.embeddings import BaseClipTransformer, Recipe
    >>> @dataclass(frozen=True, kw_only=True)
    ... class TimbreRecipe(Recipe):
    ...     kind = "timbre"
    ...
    ...     def compute(self, waveform, n_threads):
    ...         rows = []
    ...         for frames in Framing(8000, 8000).blocks(waveform, size=64):
    ...             spectra = np.abs(np.fft.rfft(frames)) + 1e-9
    ...             bright = spectra @ np.arange(4001) / spectra.sum(axis=1)
    ...             rows.append(np.stack([np.sqrt((frames**2).mean(axis=1)), bright], axis=1))
    ...         return np.concatenate(rows).astype(np.float32), set()
    >>> class TimbreTransformer(BaseClipTransformer):
    ...     _name = "timbre"
    ...     _recipe_class = TimbreRecipe
    ...
    ...     def _network_sr(self):
    ...         return 16000
    ...
    ...     def _frame_size(self):
    ...         return 2
    ...
    ...     def _hop_seconds(self):
    ...         return 0.5
    ...
    ...     def _first_center(self):
    ...         return 0.25
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> timbre = TimbreTransformer(pooling=("mean", "std"))
    >>> timbre.fit_transform([tone, (tone, 44100)]).shape
    (2, 4)
    >>> timbre.frame_times(2)
    array([0.25, 0.75])
    """

    _recipe_class: ClassVar[type[Recipe]]
    # The parameter whose None leaves the frames of a clip.
    _pooling_name: ClassVar[str] = "pooling"

    if TYPE_CHECKING:
        # A property for type checkers, which some subclasses have in place of a word.
        @property
        def _name(self) -> str: ...

    sr: Rate | None = None
    offset: Annotated[float, seconds(0, reading.LONGEST)] = 0.0
    duration: Annotated[float, seconds(0, reading.LONGEST, closed="right")] | None = None
    pooling: params.Pooling = "mean"
    memory: params.Memory = None
    n_jobs: int | None = None
    on_error: params.OnError = "raise"
    resampler: params.Resampler = "soxr_hq"
    verbose: bool = False

    def fit(self, X, y=None) -> Self:
        """Validate the parameters and X, and train nothing.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            See the class.
        y : None
            Ignored.

        Returns
        -------
        self : object
            This transformer.

        Raises
        ------
        ValueError
            For a parameter out of range, or an X of no known form.
        WeightsNotFoundError
            When pretrained weights are wanted and cannot be had.
        """
        params.validate_parameters(self)
        resampling.check_resampler(self.resampler)
        self._check_settings()
        cache.open_cache(self.memory)
        clips = self._check_clips(X, reset=True)
        self._fit_network()
        self.embedding_size_ = self._fit_frame_size(clips)
        params.wrap_tables_only(self, is_table=self._recipe(pooled=True).pooling is not None)
        return self

    def transform(self, X) -> np.ndarray:
        """Embed clips.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            See the class.

        Returns
        -------
        embeddings : ndarray of shape (n_clips, n_features_out), dtype float32
            Row i is clip i. Without pooling, of shape (n_clips, n_frames, d), zero-padded at the
            end, which is an array also where data frames are asked for.

        Raises
        ------
        AudioDecodeError
            When a clip cannot be read and ``on_error="raise"``.
        """
        return self._transform_with_digests(X)[0]

    def _transform_with_digests(self, X) -> tuple[np.ndarray, list[str | None]]:
        """Embed clips, and return the `AudioDigest` of each as well, None where it has none.

        Two clips with the same digest are the same recording in the segment that is used, in any
        files; an audit takes the digests from here instead of decoding the clips again.
        """
        validation.check_is_fitted(self)
        recipe = self._recipe(pooled=True)
        clips, failures = self._embed(X, recipe)
        rows = [clip.array for clip in clips]
        if recipe.pooling is None:
            embeddings = pad_frames(rows, recipe.n_frames)
            embeddings[[*failures]] = np.nan
        else:
            embeddings = np.stack(rows)
        return embeddings, [clip.audio_digest for clip in clips]

    def transform_with_digests(self, X) -> tuple[np.ndarray, list[str | None]]:
        """Embed clips, and digest their audio; deprecated, and gone in the next version.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            See the class.

        Returns
        -------
        embeddings : ndarray of shape (n_clips, n_features_out), dtype float32
            As `transform` returns them.
        audio_digests : list of str or None, of length n_clips
            Of the decoded waveforms.
        """
        message = "transform_with_digests is deprecated; use transform."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self._transform_with_digests(X)

    def transform_frames(self, X) -> list[np.ndarray]:
        """Embed clips frame by frame, without pooling.

        Parameters
        ----------
        X : sequence of clips, or array-like of shape (n_clips, n_samples)
            See the class.

        Returns
        -------
        frames : list of ndarray of shape (n_frames_i, d), dtype float32
            One array a clip. With ``on_error="nan"`` a clip that cannot be read is one row of NaN.

        See Also
        --------
        frame_times : When the frames are.
        """
        validation.check_is_fitted(self)
        return [clip.array for clip in self._embed(X, self._recipe(pooled=False))[0]]

    def frame_times(self, n_frames) -> np.ndarray:
        """Return the times of frames in a clip: the centre of what each frame looked at.

        Parameters
        ----------
        n_frames : int
            How many.

        Returns
        -------
        times : ndarray of shape (n_frames,)
            Seconds from the start of the clip, also where `offset` skips its beginning.
        """
        first = float(self.offset) + self._first_center()
        return first + np.arange(n_frames) * self._hop_seconds()

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : None
            Ignored; there for scikit-learn's sake.

        Returns
        -------
        names : ndarray of str objects
            Such as ``l3_mean_0``; without pooling ``l3_0``, for the last axis.
        """
        validation.check_is_fitted(self)
        return np.array(self._feature_names(), dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _recipe(self, *, pooled: bool) -> Recipe:
        """Return the recipe of this transformer; without `pooled`, for frames."""
        return self._fill(self._recipe_class, pooled=pooled)

    def _fill(self, recipe_class: type[Recipe], *, pooled: bool, **computed) -> Recipe:
        """Return a recipe whose fields are the parameters of the same names, or `computed`."""
        parameters = self.get_params(deep=False)
        computed = {
            "sr": self._network_sr(),
            "frame_size": self._frame_size(),
            "pooling": parameters.get("pooling") if pooled else None,
            **computed,
        }
        names = {one.name for one in fields(recipe_class)}
        taken = {name: value for name, value in parameters.items() if name in names}
        return recipe_class(**(taken | computed))

    @abstractmethod
    def _frame_size(self) -> int:
        """Return the numbers a frame has."""

    @abstractmethod
    def _hop_seconds(self) -> float:
        """Return the seconds between two frames."""

    def _first_center(self) -> float:
        """Return the centre of the first frame, in seconds after the start of the used segment.

        0 where a frame is centred on its time, as by padding; half a frame where it starts there.
        """
        return 0.0

    @abstractmethod
    def _network_sr(self) -> int:
        """Return the rate that the network wants [Hz]."""

    def _input_sr(self) -> int:
        """Return the rate that a bare waveform is taken to have [Hz]."""
        return self._network_sr() if self.sr is None else int(self.sr)

    def _fit_frame_size(self, clips: list[forms.Clip]) -> int:
        """Return the numbers a frame has, measured on clips where no setting determines them."""
        return self._frame_size()

    def _packages(self) -> tuple[str, ...]:
        """Return the packages whose versions decide the numbers, beside those of all networks."""
        return ()

    def _check_can_be_kept(self) -> None:
        """Raise where no key would distinguish what is stored from the results of another."""

    def _check_settings(self) -> None:
        """Check what the parameter constraints cannot express."""
        self._check_statistics("pooling", self.pooling)

    def _check_statistics(self, param: str, value) -> None:
        if isinstance(value, list | tuple) and not (value and set(STATISTICS).issuperset(value)):
            allowed = f"a tuple of one or several of {sorted(STATISTICS)}, or None"
            raise messages.wrong_parameter(self, param, allowed, value)

    def _fit_network(self) -> None:
        """Make sure that the network can be loaded later; here, digest the files in its recipe."""
        recipe = self._recipe(pooled=False)
        for name in ("weights_label_", "weights_digest_"):
            vars(self).pop(name, None)
        if files := recipe.files():
            self.weights_label_ = ", ".join(str(getattr(recipe, name)) for name in files)
            self.weights_digest_ = digest.settings_digest(files)

    def _frame_names(self) -> list[str]:
        """Return what the numbers of a frame are called."""
        return [str(i) for i in range(self.embedding_size_)]

    def _feature_names(self) -> list[str]:
        names = self._frame_names()
        if self.pooling is None:
            return [f"{self._name}_{name}" for name in names]
        statistics = (self.pooling,) if isinstance(self.pooling, str) else self.pooling
        return [f"{self._name}_{statistic}_{name}" for statistic in statistics for name in names]

    def _check_clips(self, X, *, reset) -> list[forms.Clip]:
        sr, name = self._input_sr(), type(self).__name__
        X = forms.as_sequence(X)
        if forms.is_sequence_of_clips(X, estimator=name):
            return [forms.as_clip(item, row, sr=sr, estimator=name) for row, item in enumerate(X)]
        params.check_unmasked(X, f"X of {name}")
        X = params.validate_data(self, X, reset=reset, dtype="numeric")
        if X.dtype.kind not in "biuf":
            # scikit-learn does not convert the columns of polars.
            raise InputError(f"X of {name} must hold real numbers. Got {X.dtype}; pass one column.")
        return forms.check_matrix(X, sr=sr)

    def _embed(self, X, recipe) -> tuple[list[CacheEntry], dict[int, str]]:
        """Return the rows of all clips, and the reasons of those that are NaN, by their places."""
        clips = self._check_clips(X, reset=False)
        shared = cache.open_cache(self.memory), processes.threads_per_worker(self.n_jobs)
        calls = ((recipe, clip, *shared) for clip in clips)
        options = {"n_jobs": self.n_jobs, "prefer": recipe.prefer}
        embedded, failures, name = [], {}, type(self).__name__
        # Closed after any error, so that no job continues in the background.
        with closing(processes.run_parallel(embed_clip, calls, **options)) as results:
            bar = progress.track(results, total=len(clips), description=name, enabled=self.verbose)
            # The bar first in zip: it is asked once more at the end, so that it is seen to end.
            for one, clip in zip(bar, clips):
                if isinstance(one, AudioDecodeError):
                    if self.on_error == "raise":
                        raise one
                    failures[clip.row] = str(one)
                    failed = np.full((1, recipe.frame_size or self._frame_size()), np.nan)
                    one = CacheEntry(recipe.finish(failed.astype(np.float32)), [])
                embedded.append(one)
        _warn(clips, embedded, failures)
        return embedded, failures


def _warn(clips: list[forms.Clip], embedded: list[CacheEntry], failures: dict[int, str]) -> None:
    """Warn of each kind of note, of the cache and of failures, once for all clips."""
    for note, (what, category) in waveform.NOTES.items():
        names = [clip.name for clip, one in zip(clips, embedded) if note in one.notes]
        if names:
            shown = messages.shorten(names, 10, separator="; ")
            message = f"In {len(names)} of {len(clips)} clips {what}: {shown}."
            warnings.warn(message, category, stacklevel=_STACKLEVEL)
    cache.warn_of_cache([one.error for one in embedded if one.error], stacklevel=_STACKLEVEL)
    if failures:
        what = f"{len(failures)} of {len(clips)} clips could not be read, and their rows are NaN"
        reasons = messages.shorten(failures.values(), 10, width=350, separator=" ")
        warning = FailedClipsWarning(f"{what}: {reasons}", failures)
        warnings.warn(warning, stacklevel=_STACKLEVEL)


@params.estimator
class NetworkTransformer(BaseClipTransformer):
    """Base of the transformers by skmer's own networks, which an engine runs."""

    weights: params.Weights = "pretrained"
    batch_size: BatchSize = 32
    random_state: params.RandomState = None

    @abstractmethod
    def _file(self):
        """Return the published `WeightsFile` of the network."""

    @abstractmethod
    def _engine(self) -> str:
        """Return the name of the engine that will run the network."""

    def _fit_network(self) -> None:
        self._engine()
        if self.weights is None:
            self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            self.weights_label_ = f"random weights (seed {self._seed})"
        else:
            self._seed, self.weights_label_ = 0, Path(self.weights).name
        self.weights_are_random_ = self.weights is None
        self.weights_digest_ = self._file().digest_of(self.weights, self._seed)

    def _fill(self, recipe_class, *, pooled, **computed):
        network = {
            "file": self._file(),
            "weights": None if self.weights is None else str(self.weights),
            "seed": self._seed,
            "digest": self.weights_digest_,
            "engine": self._engine(),
        }
        return super()._fill(recipe_class, pooled=pooled, **network, **computed)

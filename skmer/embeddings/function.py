"""A transformer of clips made of any function."""

import dis
import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

import joblib
import numpy as np

from skmer.audio import Framing
from skmer.embeddings import base, recipe
from skmer.exceptions import AudioDecodeError, InputError, InputTypeError
from skmer.utils import cache, digest, estimators, messages


def function_name(func: Callable) -> str:
    """Return the module and name of a function, of the class where it is another callable."""
    while isinstance(func, partial):
        func = func.func
    named = func if hasattr(func, "__qualname__") else type(func)
    return f"{named.__module__}.{named.__qualname__}"


def function_key(func: Callable) -> str:
    """Return a digest of what can be seen of a function: its source, and what it holds.

    That is the arguments of a partial, defaults, variables of the function around it, attributes of
    its object, and the constants, functions and objects of its module that it names.
    """
    return digest.settings_digest({"func": _see(func, [])})


# Calls that make a list, say, a note of each call of the function rather than a setting of it.
_WRITES = {"add", "append", "clear", "extend", "insert", "pop", "setdefault", "update"}
_DEPTH = 6


def _see(item: Any, around: list) -> Any:
    """Return what can be seen of something that a function holds, as JSON has it."""
    if any(item is one for one in around):
        return type(item).__qualname__
    if len(around) > _DEPTH:
        return _hash(item)
    see = partial(_see, around=[*around, item])
    if isinstance(item, partial):
        given = joblib.hash((item.args, item.keywords))
        return [see(item.func), given, see(item.args), see(item.keywords)]
    if inspect.ismethod(item):
        return [see(item.__func__), see(item.__self__)]
    if inspect.isfunction(item):
        found = inspect.getclosurevars(item)
        written, module = _written(item.__code__), item.__module__
        inside, outside = (
            {
                name: see(one)
                for name, one in names.items()
                if not (name in written and isinstance(one, list | dict | set))
                # What other modules have is not the user's.
                and (names is found.nonlocals or getattr(one, "__module__", module) == module)
            }
            for names in (found.nonlocals, found.globals)
        )
        given = [see(item.__defaults__), see(item.__kwdefaults__)]
        return [function_name(item), _source(item), *given, inside, outside]
    if isinstance(item, type):
        return [item.__qualname__, _source(item)]
    if isinstance(item, list | tuple):
        return [see(one) for one in item]
    if isinstance(item, dict):
        return [[see(name), see(one)] for name, one in item.items()]
    for weights in ("state_dict", "get_weights"):
        # Networks of PyTorch and Keras.
        if hasattr(item, weights):
            state = getattr(item, weights)()
            arrays = state.values() if isinstance(state, dict) else state
            return [_layers(item), joblib.hash([np.asarray(one) for one in arrays])]
    if hasattr(item, "__dict__") and not inspect.ismodule(item):
        return [see(type(item)), see(vars(item))]
    return _hash(item)


def _hash(item) -> str:
    try:
        return joblib.hash(item)
    except Exception:  # Such as a session of a library; `version` distinguishes those.
        return type(item).__qualname__


def _written(code) -> set[str]:
    """Return the names of the lists and the like that a function writes to."""
    steps = list(dis.get_instructions(code))
    return {
        str(name.argval)
        for name, after, then in zip(steps, steps[1:], steps[2:])
        # ``name.append``, ``name[key] = ...`` and ``name[key] += ...``.
        if after.argval in _WRITES
        or (then.opname, then.arg) in (("STORE_SUBSCR", None), ("COPY", 2))
    }


def _layers(network) -> str:
    """Return what a network of PyTorch or Keras is made of, without the names of layers."""
    if not hasattr(network, "to_json"):
        return repr(network)
    try:
        return re.sub(r'"name": "\w*"', "", network.to_json())
    except Exception:  # Of a class of the user's own, without a configuration.
        return type(network).__qualname__


def _source(item) -> Any:
    """Return the source of a function or class, else the code."""
    try:
        # Workers get what is in the main module without its source.
        return _bytecode(item) if item.__module__ == "__main__" else inspect.getsource(item)
    except (OSError, TypeError):
        return _bytecode(item)


def _bytecode(item) -> Any:
    """Return what the functions in a function, a class or a code object do, as JSON has it."""
    if isinstance(item, type):
        kinds = (str, bytes, int, float)
        own = [one for name, one in sorted(vars(item).items()) if name[:2] != "__" or callable(one)]
        return [_bytecode(one) for one in own if hasattr(one, "__code__") or isinstance(one, kinds)]
    if isinstance(item, frozenset):
        return sorted(map(repr, item))
    code = getattr(inspect.unwrap(item), "__code__", item)
    if not hasattr(code, "co_code"):
        return repr(code)
    return [code.co_code.hex(), *code.co_names, *map(_bytecode, code.co_consts)]


@dataclass(frozen=True, kw_only=True)
class ClipFunctionRecipe(recipe.Recipe):
    """Clip -> what a function makes of its frames, or of the whole waveform."""

    func: Callable = field(metadata=recipe.NOT_IN_KEY)
    func_name: str
    func_key: str | None
    name: str
    version: str | None
    frame_length: int | None
    hop_length: int | None
    batch_size: int = field(metadata=recipe.NOT_IN_KEY)
    kind = "function"
    decisive = ("func_name", "func_key", "name", "version", "frame_length", "hop_length")

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        if self.frame_length is None or self.hop_length is None:
            whole = np.concatenate(list(waveform)).astype(np.float32, copy=False)
            return self.call(whole), set()
        notes: set[str] = set()
        padded = recipe.pad_short(waveform, self.frame_length, notes)
        blocks = Framing(self.frame_length, self.hop_length).blocks(padded, size=self.batch_size)
        # Copies: the blocks overlap, and what a function writes to must be its own.
        rows = np.concatenate([self.call(frames.astype(np.float32)) for frames in blocks])
        return rows, notes

    def call(self, audio: np.ndarray) -> np.ndarray:
        """Return the function's value for frames or a waveform, as rows of float32."""
        value = self.func(audio)
        try:
            rows = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputTypeError(
                "The 'func' parameter of ClipFunctionTransformer must return numbers that numpy "
                f"takes. Got {type(value).__name__} ({error})."
            ) from error
        whole, shape = self.frame_length is None, rows.shape
        if whole and rows.ndim == 1:
            rows = rows[None]
        fits = rows.ndim == 2 and rows.size and (whole or len(rows) == len(audio))
        if not fits or self.frame_size not in (None, rows.shape[1]):
            expected = "(n_frames, d) or (d,)" if whole else f"({len(audio)}, d)"
            if self.frame_size is not None:
                expected += f" with d={self.frame_size}, as in fit"
            raise InputTypeError(
                "The 'func' parameter of ClipFunctionTransformer must return an array of shape "
                f"{expected}, for an input of shape {audio.shape}. Got {shape} instead."
            )
        if not np.isfinite(rows).all():
            raise AudioDecodeError("the function returned values that are not finite.")
        return rows


# The longest frame and hop: 22 minutes at 48 kHz.
_MAX_SAMPLES = 2**26
_Seconds = Annotated[float, base.seconds(0, None, closed="neither")]


@estimators.estimator
class ClipFunctionTransformer(base.BaseClipTransformer):
    """Embed clips by a function of your own, such as another network.

    The function gets waveforms that are read, mixed to mono, resampled and cut already, and what
    it returns is pooled, cached, and handed on as skmer's own embeddings are. For an embedding
    that stays, see `BaseClipTransformer`.

    Parameters
    ----------
    func : callable
        With `frame_size`: ``func(frames)`` gets float32 of shape (n, frame_length) at `target_sr`,
        n at most `batch_size`, and returns (n, d). Without: ``func(waveform)`` gets the whole clip,
        float32 of shape (n_samples,), and returns (n_frames, d) or (d,). Values that are not
        finite make the clip one that cannot be read, see `on_error`; what the function raises is
        raised. A function is called by several threads where `n_jobs` asks for them.
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = `target_sr`.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    pooling : {"mean", "std", "max", "min"}, tuple of those, or None, default="mean"
        Statistics over the frames of a clip, concatenated in this order. None: no pooling.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache: the frames of every clip are computed once, for any fold, pooling,
        classifier and process.
    n_jobs : int, default=None
        Number of jobs over clips, as in joblib. These are threads, so that a network on a GPU is
        there once; ``joblib.parallel_config("loky")`` makes them processes.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does: raise `AudioDecodeError`, or become a row of NaN
        with one warning for all of them.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to `target_sr`: by soxr, or by resampy's filter
        (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.
    target_sr : int
        The rate that the function wants [Hz], at most 768000.
    frame_size : float, default=None
        Seconds of a frame, of 1 to 2**26 samples; the last one, and a clip shorter than one, are
        filled with zeros. None: the function gets whole clips.
    hop_size : float, default=None
        Seconds between the starts of two frames, 1 to 2**26 samples; None = `frame_size`. Without
        `frame_size`: seconds between two rows that the function returns, for `frame_times`.
    name : str, default="function"
        What the columns are called, as in ``function_mean_0``.
    version : str or int, default=None
        What distinguishes this function in the key of the cache, beside its name, its source
        and what it holds: arguments of a `functools.partial`, variables of a function around it,
        attributes of its object, and constants and functions of its module. Change it when
        something else changes. Needed with `memory` and by `extract`.
    batch_size : int, default=32
        The most frames of one clip that the function gets at once, 65536 at the highest.

    Attributes
    ----------
    embedding_size_ : int
        Numbers a frame, as `fit` found by calling the function on one frame of noise, or without
        `frame_size` on the first clip that can be read.
    n_features_in_ : int
        Samples a clip; only where X was a 2-D array.

    See Also
    --------
    BaseClipTransformer : For an embedding in a file of its own.
    sklearn.preprocessing.FunctionTransformer : The same idea for tables.

    Notes
    -----
    X is as of `L3Transformer`. A lambda, and a function inside another one, cannot be pickled, so
    a pipeline with one can neither be saved nor sent to another process. `sklearn.base.clone`
    copies callable objects with all they hold, but not functions: keep a large network in a
    variable that a function uses.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer import ClipFunctionTransformer
    >>> def loudness(frames):
    ...     return np.sqrt((frames**2).mean(axis=1, keepdims=True))
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(32000) / 16000)
    >>> rms = ClipFunctionTransformer(loudness, target_sr=16000, frame_size=0.5, name="rms")
    >>> rms.fit_transform([tone, 0.1 * tone]).round(3)
    array([[0.707],
           [0.071]], dtype=float32)
    >>> rms.get_feature_names_out()
    array(['rms_mean_0'], dtype=object)
    """

    func: Callable[[Any], Any] = field(kw_only=False)
    target_sr: base.Rate
    frame_size: _Seconds | None = None
    hop_size: _Seconds | None = None
    name: str = "function"
    version: str | int | None = None
    batch_size: base.BatchSize = 32

    @property
    def _name(self):
        return self.name

    def _check_settings(self):
        super()._check_settings()
        lengths = {"frame_size": self._frame_length(), "hop_size": self._hop_length()}
        for parameter, length in lengths.items():
            if length is not None and not 1 <= length <= _MAX_SAMPLES:
                least, most = 1 / self.target_sr, _MAX_SAMPLES / self.target_sr
                allowed = f"at least one sample, {least:.2g} s, and at most {most:.3g} s"
                raise messages.wrong_parameter(self, parameter, allowed, getattr(self, parameter))
        if cache.open_cache(self.memory) is not None:
            self._check_can_be_kept()

    def _check_can_be_kept(self):
        if self.version is None:
            raise InputError(
                "ClipFunctionTransformer needs the 'version' parameter where its results are kept, "
                "in a cache (memory) or by extract: another function of the same name would be "
                "given them. Set version='1', and another one whenever the function changes."
            )

    def _fit_frame_size(self, clips):
        """Call the function: nothing else determines how many numbers it returns."""
        unsized = replace(self._recipe(pooled=False), frame_size=None)
        if unsized.frame_length is not None:
            noise = np.random.default_rng(0).standard_normal((1, unsized.frame_length))
            return unsized.call((0.1 * noise).astype(np.float32)).shape[1]
        kept, errors = cache.open_cache(self.memory), []
        for clip in clips:
            embedded = recipe.embed_clip(unsized, clip, kept, None)
            if not isinstance(embedded, AudioDecodeError):
                return embedded.array.shape[1]
            errors.append(embedded)
        raise errors[0]

    def _frame_size(self):
        return getattr(self, "embedding_size_", None)

    def _in_samples(self, seconds):
        return None if seconds is None else round(float(seconds) * int(self.target_sr))

    def _frame_length(self):
        return self._in_samples(self.frame_size)

    def _hop_length(self):
        return self._in_samples(self.frame_size if self.hop_size is None else self.hop_size)

    def _hop_seconds(self):
        if self._hop_length() is None:
            raise InputError(
                "The times of the rows that a function makes of a clip are not known; set the "
                "'hop_size' parameter of ClipFunctionTransformer, the seconds between two of them."
            )
        return self._hop_length() / int(self.target_sr)

    def _first_center(self):
        return (self._frame_length() or self._hop_length() or 0) / 2 / int(self.target_sr)

    def _network_sr(self):
        return self.target_sr

    def _recipe(self, *, pooled):
        return self._fill(
            ClipFunctionRecipe,
            pooled=pooled,
            func_name=function_name(self.func),
            # Without a version nothing is kept, and anything may be the function.
            func_key=None if self.version is None else function_key(self.func),
            version=None if self.version is None else str(self.version),
            frame_length=self._frame_length(),
            hop_length=self._hop_length(),
        )

"""The recipe of a function of the user's own; importing it does not import scikit-learn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from skmer.audio import Framing
from skmer.embeddings.recipes._base import Recipe, SampleCounter
from skmer.exceptions import AudioDecodeError, InputTypeError


def function_name(func: Callable) -> str:
    """Return the module and name of a function, of the class where it is another callable."""
    while isinstance(func, partial):
        func = func.func
    named = func if hasattr(func, "__qualname__") else type(func)
    return f"{named.__module__}.{named.__qualname__}"


@dataclass(frozen=True, kw_only=True)
class ClipFunctionRecipe(Recipe):
    """Clip -> what a function makes of its frames, or of the whole waveform."""

    func: Callable = field(metadata={"key": False})
    func_name: str
    name: str
    version: str | None
    frame_length: int | None
    hop_length: int | None
    batch_size: int
    kind = "function"
    # What a function holds, a network on a GPU say, is one for all threads.
    prefer = "threads"

    def settings(self):
        names = "func_name name version frame_length hop_length"
        return super().settings() | {name: getattr(self, name) for name in names.split()}

    def compute(self, waveform: Iterable[np.ndarray], n_threads: int | None):
        if self.frame_length is None or self.hop_length is None:
            whole = np.concatenate(list(waveform)).astype(np.float32, copy=False)
            return self.call(whole), set()
        counted = SampleCounter(waveform)
        blocks = Framing(self.frame_length, self.hop_length).blocks(counted, size=self.batch_size)
        # Copies: the blocks overlap, and what a function writes to must be its own.
        rows = np.concatenate([self.call(frames.astype(np.float32)) for frames in blocks])
        return rows, {"short"} if counted.n_samples < self.frame_length else set()

    def call(self, audio: np.ndarray) -> np.ndarray:
        """Return the function's value for frames or a waveform, as rows of float32."""
        value = self.func(audio)
        try:
            rows = np.asarray(value, dtype=np.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputTypeError(
                "The 'func' parameter of ClipFunctionTransformer must return numbers that numpy "
                f"takes. Got {type(value).__name__} ({error!s:.150})."
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

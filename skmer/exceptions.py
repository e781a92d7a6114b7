"""The errors and warnings that users of skmer may want to catch."""

__all__ = [
    "AudioDecodeError",
    "DatasetNotFoundError",
    "EngineNotAvailableError",
    "FailedClipsWarning",
    "FeatureLeftOutWarning",
    "IgnoredCacheWarning",
    "IncompleteDatasetWarning",
    "InputError",
    "InputTypeError",
    "MissingPackageError",
    "ModelVersionWarning",
    "SampleScaleWarning",
    "ShortClipWarning",
    "SilentClipWarning",
    "TruncatedClipWarning",
    "WeightsIntegrityError",
    "WeightsNotFoundError",
    "WorkerError",
]


def bounded(message: str, longest: int = 500) -> str:
    """Return a message on one line of at most `longest` characters.

    This is the only place that cuts messages. A message is most often too long because of a path
    or a value that was given, so the longest words lose their middle first.
    """
    message = _cut(" ".join(line.strip() for line in message.splitlines()), 20 * longest)
    while len(message) > longest and len(word := max(message.split(" "), key=len)) > 60:
        excess = len(message) - longest
        message = message.replace(word, _cut(word, max(60, len(word) - excess)))
    return _cut(message, longest)


def _cut(text, width):
    half = (width - 3) // 2
    return text if len(text) <= width else f"{text[:half]}...{text[-half:]}"


class _OneSentence:
    """Bound the message of an error or a warning."""

    def __str__(self):
        return bounded(super().__str__())


class _InputError(_OneSentence, Exception):
    """An error that is about a parameter."""

    def __init__(self, message: str = "", param: str | None = None):
        super().__init__(message)
        self.param = param


class InputError(_InputError, ValueError):
    """An argument, a file or a table has a value that skmer cannot use.

    Parameters
    ----------
    message : str
        One sentence: the parameter, what is allowed, what was given, what to do.
    param : str, default=None
        The name of the parameter that the error is about, so that the command can name its option.
    """


class InputTypeError(_InputError, TypeError):
    """An argument has a type that skmer does not accept; see `InputError`.

    Parameters
    ----------
    message : str
        One sentence: the parameter, what is allowed, what was given, what to do.
    param : str, default=None
        The name of the parameter that the error is about.
    """


class AudioDecodeError(InputError):
    """A clip cannot be turned into a waveform: missing, unreadable, empty, or not finite.

    Parameters
    ----------
    message : str
        One sentence that names the clip and the reason.
    row : int or None
        Position of the clip in X, where known.
    """

    def __init__(self, message: str = "", row: int | None = None):
        super().__init__(message)
        self.row = row


class DatasetNotFoundError(_OneSentence, FileNotFoundError):
    """A dataset is not where it was looked for, and may or can not be downloaded."""


class MissingPackageError(_OneSentence, ImportError):
    """A package that only some of skmer needs is not installed; the sentence names its extra."""


class EngineNotAvailableError(MissingPackageError):
    """An inference engine was asked for that is not installed."""


class WeightsNotFoundError(_OneSentence, FileNotFoundError):
    """Pretrained weights are neither on this machine nor to be had from their source."""


class WeightsIntegrityError(InputError):
    """A weights file has a wrong checksum, format, shape, or values.

    Parameters
    ----------
    message : str
        One sentence that names the file and the difference.
    param : str, default=None
        The name of the parameter that the error is about.
    """


class WorkerError(_OneSentence, RuntimeError):
    """A worker process ended before its work was done, most often killed for its memory."""


class FailedClipsWarning(_OneSentence, UserWarning):
    """Clips that could not be read became rows of NaN (``on_error="nan"``).

    Parameters
    ----------
    message : str
        One sentence about all of them.
    failures : dict of int to str, default=None
        By their places in X, why each could not be read.

    Attributes
    ----------
    failures : dict of int to str
        As given.
    """

    def __init__(self, message: str, failures: dict[int, str] | None = None):
        super().__init__(message)
        self.failures = failures or {}


class FeatureLeftOutWarning(_OneSentence, UserWarning):
    """A feature that nobody asked for by name cannot be had, and was left out."""


class IgnoredCacheWarning(_OneSentence, UserWarning):
    """A cache entry could not be read or written, so its clip was computed again."""


class IncompleteDatasetWarning(_OneSentence, UserWarning):
    """A dataset was read, but not all of its published clips are in place."""


class ModelVersionWarning(_OneSentence, UserWarning):
    """A saved model was made by another engine, or other versions of deciding packages."""


class ShortClipWarning(_OneSentence, UserWarning):
    """A clip is shorter than one frame and was padded with zeros."""


class SampleScaleWarning(_OneSentence, UserWarning):
    """A clip's samples are far beyond full scale, or 32-bit integers far below: PCM on no scale."""


class SilentClipWarning(_OneSentence, UserWarning):
    """A clip has only zeros, or its channels cancel; its embedding is meaningless."""


class TruncatedClipWarning(_OneSentence, UserWarning):
    """A file ends before its sound does; what is there was read."""

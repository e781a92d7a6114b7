"""Words and numbers as a report writes them."""

from collections.abc import Iterable, Mapping

from skmer.evaluation.displays._style import CLASSIFIER_NAMES, FEATURE_NAMES

SCORE_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1_macro": "F1, mean over classes",
    "f1_weighted": "F1, weighted by class size",
    "r2": "r²",
    "ccc": "Concordance",
    "rmse": "Error (RMSE)",
    "r2_song": "r² within a song",
    "ccc_song": "Concordance within a song",
    "rmse_song": "Error within a song (RMSE)",
}
COLUMN_NAMES = {
    "feature": "Feature",
    "classifier": "Classifier",
    "regressor": "Regressor",
    "target": "Target",
    "protocol": "Protocol",
    "gap": "Gap",
    "n_splits": "Splits",
    "weights": "Weights",
}
_PART_NAMES = {**FEATURE_NAMES, **CLASSIFIER_NAMES, "svr": "SVR", "ridge": "Ridge"}


def name_of(part: str, random: Iterable[str] = ()) -> str:
    """Return the name of a feature or model for people, and say where its network is random."""
    return _PART_NAMES.get(part, part) + (" (random weights)" if part in random else "")


def name_of_score(score: str) -> str:
    """Return the name of a score for people."""
    return SCORE_NAMES.get(score, score.replace("_", " "))


def two_digits(value: float) -> str:
    """Write a score; more digits than two mean nothing here."""
    return "-" if value != value else f"{value:.2f}"


def with_interval(value: float, low: float, high: float) -> str:
    """Write a score with its interval, where it has one."""
    if low != low:
        return two_digits(value)
    return f"{two_digits(value)} ({two_digits(low)} to {two_digits(high)})"


def time_of_stages(seconds) -> str:
    """Write how long each stage took; earlier results have one number for all."""
    if not isinstance(seconds, Mapping):
        return f"{seconds:.1f} s"
    return ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items())


def signed(value: float) -> str:
    """Write a difference; there is no minus zero."""
    return f"{round(value, 2) + 0.0:+.2f}"


def in_hundred(value: float) -> str:
    """Write a share as a count of a hundred."""
    return f"{100 * value:.0f}"

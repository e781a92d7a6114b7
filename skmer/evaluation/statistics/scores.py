"""Scores of one test fold."""

import numpy as np
from scipy.stats import rankdata
from sklearn import metrics

CLASSIFICATION_METRICS = ("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy")
REGRESSION_METRICS = ("r2", "ccc", "rmse", "pearson", "spearman")
DYNAMIC_METRICS = (*REGRESSION_METRICS, *(f"{name}_song" for name in REGRESSION_METRICS))
# A song with less than this share of the standard deviation of all hardly moves.
_HARDLY = 0.1


def classification_scores(y_true: np.ndarray, y_pred: np.ndarray, clips=None) -> dict[str, float]:
    """Compute each metric; F1 as scikit-learn's scorers do, over labels true or predicted.

    Balanced accuracy is the mean recall of the classes that are in the test fold.
    """
    return {
        "accuracy": float(metrics.accuracy_score(y_true, y_pred)),
        "f1_macro": float(metrics.f1_score(y_true, y_pred, average="macro", zero_division=0)),
        "f1_weighted": float(metrics.f1_score(y_true, y_pred, average="weighted", zero_division=0)),
        "balanced_accuracy": float(
            metrics.recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro")
        ),
    }


def regression_scores(y_true: np.ndarray, y_pred: np.ndarray, clips=None) -> dict[str, float]:
    """Compute each metric over all rows; the error is in the unit of the target."""
    return {
        "r2": float(metrics.r2_score(y_true, y_pred)),
        "ccc": concordance(y_true, y_pred),
        "rmse": float(metrics.root_mean_squared_error(y_true, y_pred)),
        "pearson": correlation(y_true, y_pred),
        "spearman": correlation(rankdata(y_true), rankdata(y_pred)),
    }


def dynamic_scores(y_true: np.ndarray, y_pred: np.ndarray, clips) -> dict[str, float]:
    """Compute each metric over all moments, and as `*_song` the mean over songs of its own value.

    `r2_song` is the share of all movement within songs that is explained: songs weigh as much as
    they move, since the r2 of a song that hardly moves is any number below zero.
    """
    of_songs = songs_of(y_true, y_pred, clips)
    songs = [regression_scores(*song) for song in of_songs]
    means = {f"{name}_song": float(np.mean([song[name] for song in songs])) for name in songs[0]}
    error = sum(((true - predicted) ** 2).sum() for true, predicted in of_songs)
    moved = sum(((true - true.mean()) ** 2).sum() for true, _ in of_songs)
    means["r2_song"] = float(1 - error / moved) if moved > 0 else 0.0
    return regression_scores(y_true, y_pred) | means


def songs_of(y_true: np.ndarray, y_pred: np.ndarray, clips) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return targets and predictions of each clip."""
    order = np.argsort(clips, kind="stable")
    ends = np.flatnonzero(np.diff(np.asarray(clips)[order])) + 1
    return list(zip(np.split(y_true[order], ends), np.split(y_pred[order], ends)))


def song_scores(y_true: np.ndarray, y_pred: np.ndarray, spread: float) -> dict[str, float]:
    """Compute each metric of one song; no r2 where it hardly moves, compared with all songs."""
    scores = regression_scores(y_true, y_pred)
    return scores | ({"r2": np.nan} if y_true.std() < _HARDLY * spread else {})


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Compute Pearson's correlation; 0 when either does not vary."""
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    return float(np.clip((x * y).sum() / scale, -1, 1)) if scale > 0 else 0.0


def concordance(y_true: np.ndarray, y_pred: np.ndarray) -> float:
    """Compute Lin's concordance correlation coefficient; 0 when either does not vary.

    Lin, L. I.-K. (1989). A concordance correlation coefficient to evaluate reproducibility.
    Biometrics, 45(1), 255-268.
    """
    spread = y_true.var() + y_pred.var() + (y_true.mean() - y_pred.mean()) ** 2
    if spread == 0:
        return 0.0
    covariance = np.mean((y_true - y_true.mean()) * (y_pred - y_pred.mean()))
    return float(2 * covariance / spread)

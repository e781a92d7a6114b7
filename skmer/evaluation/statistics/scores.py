"""Scores of one test fold."""

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    r2_score,
    recall_score,
    root_mean_squared_error,
)

CLASSIFICATION_METRICS = ("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy")
REGRESSION_METRICS = ("r2", "ccc", "rmse")
DYNAMIC_METRICS = (*REGRESSION_METRICS, "r2_song", "ccc_song", "rmse_song")


def classification_scores(y_true: np.ndarray, y_pred: np.ndarray, clips=None) -> dict[str, float]:
    """Compute each metric; F1 as scikit-learn's scorers do, over labels true or predicted.

    Balanced accuracy is the mean recall of the classes that are in the test fold.
    """
    return {
        "accuracy": float(accuracy_score(y_true, y_pred)),
        "f1_macro": float(f1_score(y_true, y_pred, average="macro", zero_division=0)),
        "f1_weighted": float(f1_score(y_true, y_pred, average="weighted", zero_division=0)),
        "balanced_accuracy": float(
            recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro")
        ),
    }


def regression_scores(y_true: np.ndarray, y_pred: np.ndarray, clips=None) -> dict[str, float]:
    """Compute each metric over all rows; the error is in the unit of the target."""
    return {
        "r2": float(r2_score(y_true, y_pred)),
        "ccc": concordance(y_true, y_pred),
        "rmse": float(root_mean_squared_error(y_true, y_pred)),
    }


def dynamic_scores(y_true: np.ndarray, y_pred: np.ndarray, clips) -> dict[str, float]:
    """Compute each metric over all frames, and as `*_song` the mean over songs of its own value.

    The r2 of a song compares with the mean of that song, which no model has, so that it is
    often far below zero.
    """
    songs = [
        regression_scores(y_true[clips == clip], y_pred[clips == clip]) for clip in np.unique(clips)
    ]
    means = {f"{name}_song": float(np.mean([song[name] for song in songs])) for name in songs[0]}
    return regression_scores(y_true, y_pred) | means


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

"""The result of an evaluation of classifiers."""

from skmer.evaluation.results._base import BaseResult
from skmer.evaluation.statistics._intervals import ACCURACY
from skmer.evaluation.statistics._scores import CLASSIFICATION_METRICS


class EvaluationResult(BaseResult):
    """What `evaluate` returns.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per fit: feature, classifier, protocol, repeat, fold, accuracy, f1_macro,
        f1_weighted, balanced_accuracy, n_train (clips given to the fit), n_test, fit_time and
        score_time (seconds), seed, and weights, the label of the network's weights where the
        feature has a network.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, classifier, protocol, repeat, fold, row (the
        clip's place in X), group where groups were given, y_true, y_pred, and proba_* for each
        class, empty where the classifier gives none.
    manifest : dict
        Seeds, versions, weights, splits, parameters and counts; ready for JSON.

    See Also
    --------
    evaluate : Makes it.
    """

    configuration = ("feature", "classifier")
    metrics = CLASSIFICATION_METRICS
    has_classes = True
    headline_score = ACCURACY

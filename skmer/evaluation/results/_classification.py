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
        feature has a network, and random_weights, whether any of them was never trained.
    predictions : pandas.DataFrame
        One row per fit and tested clip: feature, classifier, protocol, repeat, fold, row (the
        clip's place in X), path where X holds paths, group where groups were given, y_true,
        y_pred, and proba_* for each class, empty where the classifier gives none.
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

    def fit(self, *, feature: str, classifier: str):
        """Fit a classifier to all clips, with the transformer of its feature before it.

        What splits clips inside the fit (searches, calibration, early stopping) keeps the groups
        apart where groups were given, whatever the protocols of the evaluation.

        Parameters
        ----------
        feature, classifier : str
            Names, as in `scores`.

        Returns
        -------
        pipeline : sklearn.pipeline.Pipeline
            Fitted; it takes clips in the forms that the transformer takes. For a feature that was
            given as an array it is the classifier alone, and takes rows of such an array.

        Raises
        ------
        InputError
            For a name that was not evaluated, or a result that was read from files.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from skmer.embeddings import MFCCStatsTransformer
        >>> from skmer.evaluation import evaluate
        >>> rng, y = np.random.default_rng(0), np.tile(["calm", "angry"], 10)
        >>> clips = [rng.normal(scale=1 + (label == "angry"), size=22050) for label in y]
        >>> result = evaluate(
        ...     {"mfcc": MFCCStatsTransformer()}, {"nb": GaussianNB()}, clips, y,
        ...     protocol="koh2021", n_repeats=2,
        ... )
        >>> model = result.fit(feature="mfcc", classifier="nb")
        >>> model.predict([3 * clips[0]])
        array(['angry'], dtype='<U5')
        """
        return self._fit(feature=feature, classifier=classifier)

"""The study's six classifiers, each as the study has it and as it is better done."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, LinearSVC

from skmer.classifiers import scalers, search
from skmer.classifiers.networks import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier
from skmer.utils import estimators, messages

CLASSIFIERS = ("svm", "nb", "rf", "mlp", "cnn", "lstm")
_PRESETS = ("tuned", "koh2021")
# The best epoch is most often among the first ten, however many clips there are. A patience of 20
# gives the same accuracy on the toy data and RAVDESS, and takes half as long again. The bound on
# all epochs ends fits whose validation loss falls for ever, by less and less.
_TUNED_TRAINING = {"epochs": 200, "patience": 10}
# A fit that fails raises its own error, in place of a list of how each fit ended.
_SEARCH = {"scoring": "f1_macro", "cv": search.GroupAwareKFold(3), "error_score": "raise"}
# With 90 % of the clips given to fit, this makes the study's 80/10/10.
_KOH2021_VALIDATION = 1 / 9


def make_classifier(
    name: str,
    *,
    preset: estimators.Preset = "tuned",
    random_state: estimators.RandomState = None,
    tags: bool = False,
):
    """Return one of the study's six classifiers, unfitted.

    Parameters
    ----------
    name : {"svm", "nb", "rf", "mlp", "cnn", "lstm"}
        Support vector machine, Gaussian naive Bayes, random forest, multi-layer perceptron,
        convolutional network, recurrent network.
    preset : {"tuned", "koh2021"}, default="tuned"
        "tuned" standardizes by `FeatureScaler`; it searches a small grid for svm and nb by 3-fold
        cross-validation on the training set, grows a forest of 200 trees with leaves of at least 3
        samples (a search over a forest's settings gains nothing), and keeps the best epoch of the
        networks, which stop 10 epochs after it, or after 200. All six give probabilities.
        Those of the svm couple its margins between each two classes, whose slope is fitted on the
        folds of the search; its labels are those without it. Groups are kept apart in these folds
        and in the validation set.
        "koh2021" is what the study states, and the library's defaults where it states nothing:
        features as they are, the last of 1000 epochs of the MLP, the best epoch of CNN and LSTM.
        Give the Keras classifiers the training and the validation set, 90 % of the clips: they
        hold out a ninth of it.
    random_state : int, RandomState instance or None, default=None
        Passed to every estimator that draws random numbers.
    tags : bool, default=False
        For an indicator matrix of tags: svm and nb are fitted for each tag (one-vs-rest), without
        a search; the tuned svm has a linear kernel then, since an embedding has many features and
        a benchmark of tags has many clips. A forest and the networks take all tags at once.

    Returns
    -------
    classifier : estimator
        A classifier, a pipeline, or a search over pipelines.

    Raises
    ------
    ValueError
        If the name or the preset is unknown, or `random_state` is no seed.

    See Also
    --------
    takes_sequences : Whether it wants frame sequences.
    TagClassifier : A threshold for each tag, around any of these.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music emotion
    recognition. arXiv:2104.06517.

    Examples
    --------
    >>> from skmer.classifiers import make_classifier
    >>> make_classifier("mlp", preset="koh2021", random_state=0)
    KerasMLPClassifier(patience=None, random_state=0, validation_fraction=0.111...)
    >>> make_classifier("lstm")
    Pipeline(steps=[('sequencescaler', SequenceScaler()),
                    ('keraslstmclassifier',
                     KerasLSTMClassifier(epochs=200, patience=10))])
    """
    messages.check_choice("make_classifier", CLASSIFIERS, name=name)
    messages.check_choice("make_classifier", _PRESETS, preset=preset)
    estimators.check_seed(random_state)
    if tags and name in ("svm", "nb"):
        return _make_one_vs_rest(name, preset, random_state)
    make = _make_koh2021 if preset == "koh2021" else _make_tuned
    return make(name, random_state)


def takes_sequences(name: str, *, preset: estimators.Preset = "tuned") -> bool:
    """Whether a classifier of the table is meant for frame sequences, not for one vector a clip.

    Parameters
    ----------
    name : {"svm", "nb", "rf", "mlp", "cnn", "lstm"}
        As in `make_classifier`.
    preset : {"tuned", "koh2021"}, default="tuned"
        As in `make_classifier`. The study's LSTM reads the clip's vector as a single frame.

    Returns
    -------
    sequences : bool
        True where X is to be (n_clips, n_frames, n_features), as ``pooling=None`` gives it.

    Examples
    --------
    >>> from skmer.classifiers import takes_sequences
    >>> takes_sequences("lstm"), takes_sequences("lstm", preset="koh2021")
    (True, False)
    """
    messages.check_choice("takes_sequences", CLASSIFIERS, name=name)
    messages.check_choice("takes_sequences", _PRESETS, preset=preset)
    return (name, preset) == ("lstm", "tuned")


def _scaled(*after) -> Pipeline:
    # The step has the name that users of version 0.2 may set parameters by.
    scaler = ("standardscaler", scalers.FeatureScaler())
    return Pipeline([scaler, *make_pipeline(*after).steps])


def _make_one_vs_rest(name, preset, random_state):
    if preset == "koh2021":
        return OneVsRestClassifier(_make_koh2021(name, random_state))
    if name == "nb":
        return _scaled(OneVsRestClassifier(GaussianNB(var_smoothing=0.1)))
    # Features of deviation 1 in hundreds of dimensions: a larger C overfits.
    svm = OneVsRestClassifier(LinearSVC(C=0.003, random_state=random_state))
    # liblinear computes in float64: converted once, not for each tag.
    return _scaled(FunctionTransformer(np.float64), svm)


def _make_koh2021(name, random_state):
    network = {"random_state": random_state, "validation_fraction": _KOH2021_VALIDATION}
    return {
        "svm": lambda: SVC(random_state=random_state),
        "nb": GaussianNB,
        "rf": lambda: RandomForestClassifier(random_state=random_state),
        "mlp": lambda: KerasMLPClassifier(patience=None, **network),
        "cnn": lambda: KerasCNNClassifier(**network),
        "lstm": lambda: KerasLSTMClassifier(**network),
    }[name]()


def _make_tuned(name, random_state):
    network = {"random_state": random_state, **_TUNED_TRAINING}
    return {
        "svm": lambda: search.CalibratedGridSearchCV(
            _scaled(SVC(random_state=random_state)), {"svc__C": [0.1, 1.0, 10.0, 100.0]}, **_SEARCH
        ),
        "nb": lambda: GridSearchCV(
            _scaled(GaussianNB()), {"gaussiannb__var_smoothing": [1e-2, 1e-1, 1.0]}, **_SEARCH
        ),
        "rf": lambda: _scaled(
            RandomForestClassifier(n_estimators=200, min_samples_leaf=3, random_state=random_state),
        ),
        "mlp": lambda: _scaled(KerasMLPClassifier(**network)),
        "cnn": lambda: make_pipeline(scalers.SequenceScaler(), KerasCNNClassifier(**network)),
        "lstm": lambda: make_pipeline(scalers.SequenceScaler(), KerasLSTMClassifier(**network)),
    }[name]()

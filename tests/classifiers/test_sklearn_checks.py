"""scikit-learn's whole check suite on the Keras classifiers."""

from collections import Counter

import pytest
from sklearn.base import is_classifier
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skmer.classifiers import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier

CLASSIFIERS = [
    KerasMLPClassifier(hidden_layer_sizes=(32,), epochs=10, learning_rate=0.05),
    KerasCNNClassifier(filters=(8,), strides=1, epochs=10, learning_rate=0.05),
    KerasLSTMClassifier(units=16, epochs=10, learning_rate=0.05),
]
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches and the validation part are drawn by row, so that two equal rows are not one row "
        "of weight 2; and the check's data have a class of a single row"
    ),
}
all_checks = parametrize_with_checks(
    CLASSIFIERS, expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)


@all_checks
# scikit-learn casts the floats of its own check to integers.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_sklearn_compatible(estimator, check):
    check(estimator)


def collected():
    """Pairs of class name and check name."""
    return [
        (type(estimator).__name__, getattr(check, "func", check).__name__)
        for classifier in CLASSIFIERS
        for estimator, check in estimator_checks_generator(classifier)
    ]


def test_the_suite_is_not_switched_off():
    counts = Counter(name for name, _ in collected())
    assert set(counts) == {type(classifier).__name__ for classifier in CLASSIFIERS}
    assert min(counts.values()) >= 55


def test_expected_failures_name_known_checks():
    assert set(EXPECTED_FAILURES) <= {check for _, check in collected()}


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
def test_is_classifier(classifier):
    assert is_classifier(classifier)

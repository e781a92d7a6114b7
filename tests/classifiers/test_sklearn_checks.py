"""scikit-learn's whole check suite on one Keras classifier, what can differ on the others."""

import pytest
from sklearn.base import is_classifier
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skmer.classifiers import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier

MLP = KerasMLPClassifier(hidden_layer_sizes=(32,), epochs=10, learning_rate=0.05)
OTHERS = [
    KerasCNNClassifier(filters=(8,), strides=1, epochs=10, learning_rate=0.05),
    KerasLSTMClassifier(units=16, epochs=10, learning_rate=0.05),
]
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches and the validation rows are drawn by row, so that two equal rows are not one row "
        "of weight 2; and the check's data have a class of a single row"
    ),
}
# The base class decides the rest: weights, classes, groups, tags, copies, set_output.
OF_THE_LAYERS = {
    "check_classifiers_train",
    "check_estimators_pickle",
    "check_fit2d_1feature",
    "check_methods_sample_order_invariance",
    "check_n_features_in_after_fitting",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
}


def name_of(check):
    return getattr(check, "func", check).__name__


@parametrize_with_checks([MLP], expected_failed_checks=lambda estimator: EXPECTED_FAILURES)
# scikit-learn casts the floats of its own check to integers.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_whole_suite(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{name_of(check)}")
        for classifier in OTHERS
        for estimator, check in estimator_checks_generator(classifier)
        if name_of(check) in OF_THE_LAYERS
    ],
)
def test_layers(estimator, check):
    check(estimator)


def test_the_suite_is_not_switched_off():
    names = [name_of(check) for _, check in estimator_checks_generator(MLP)]
    assert len(names) >= 55
    assert set(names) >= OF_THE_LAYERS | set(EXPECTED_FAILURES)


@pytest.mark.parametrize("classifier", [MLP, *OTHERS], ids=lambda one: type(one).__name__)
def test_is_classifier(classifier):
    assert is_classifier(classifier)

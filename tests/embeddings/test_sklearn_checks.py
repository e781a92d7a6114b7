"""scikit-learn's own checks: all of them on one transformer, and what can differ on the networks."""

from collections import Counter

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer

# Rows of a few large numbers are what the checks pass; the networks warn that they pad them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning"),
    pytest.mark.filterwarnings("ignore::skmer.exceptions.SampleScaleWarning"),
]
NETWORKS = [
    L3Transformer(weights=None, random_state=0, input_repr="mel128", center=False),
    VGGishTransformer(weights=None, random_state=0),
    MusiCNNTransformer(weights=None, random_state=0),
]
# What rests on a class's own parameters, recipe and state.
PART = {
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimators_overwrite_params",
    "check_get_params_invariance",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_readonly_memmap_input",
    "check_set_params",
    "check_valid_tag_types",
}


def name_of(check):
    return getattr(check, "func", check).__name__


def networks():
    for network in NETWORKS:
        for estimator, check in estimator_checks_generator(network):
            if name_of(check) in PART:
                yield pytest.param(
                    estimator, check, id=f"{type(estimator).__name__}-{name_of(check)}"
                )


@parametrize_with_checks([MFCCStatsTransformer()])
def test_sklearn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("estimator", "check"), list(networks()))
def test_sklearn_check_of_a_network(estimator, check, tmp_path):
    # Equal rows pass the network once.
    estimator.set_params(memory=str(tmp_path))
    check(estimator)


def test_how_many_checks_ran():
    counts = Counter(name_of(check) for _, check in estimator_checks_generator(NETWORKS[0]))
    assert sum(counts.values()) >= 45
    assert set(counts) >= PART
    assert {
        "check_transformer_general",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_estimators_pickle",
        "check_transformer_preserve_dtypes",
    } <= set(counts)

"""scikit-learn's own checks, on all transformers, and how many of them ran."""

from collections import Counter

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer

# Rows of a few large numbers are what the checks pass; the networks say that they pad them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning"),
    pytest.mark.filterwarnings("ignore::skmer.exceptions.SampleScaleWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _shared_cache(tmp_path_factory):
    """Let the networks see each distinct row once, through the transformers' own cache."""
    folder = tmp_path_factory.mktemp("clips")
    for transformer in TRANSFORMERS:
        transformer.memory = str(folder)
    yield
    for transformer in TRANSFORMERS:
        transformer.memory = None


TRANSFORMERS = [
    L3Transformer(weights=None, random_state=0, input_repr="mel128", center=False),
    VGGishTransformer(weights=None, random_state=0),
    MusiCNNTransformer(weights=None, random_state=0),
    MFCCStatsTransformer(),
]


@parametrize_with_checks(TRANSFORMERS)
def test_sklearn_check(estimator, check):
    # What compares two computations must not read the second from the cache.
    if any(
        word in check.func.__name__
        for word in ("invariance", "idempotent", "consistency", "pickle")
    ):
        estimator = clone(estimator).set_params(memory=None)
    check(estimator)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_how_many_checks_ran(transformer):
    names = Counter()
    for _, check in estimator_checks_generator(transformer):
        names[getattr(check, "func", check).__name__] += 1
    assert sum(names.values()) >= 45
    assert {
        "check_transformer_general",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_estimators_pickle",
        "check_transformer_preserve_dtypes",
    } <= set(names)

"""An evaluation that every test of its result looks at."""

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate
from tests.evaluation.singers import LABELS, SINGERS, Drawn, make_feature


@pytest.fixture(scope="module")
def feature():
    return make_feature()


@pytest.fixture(scope="module")
def result(feature):
    return evaluate(
        {"given": feature, "drawn": Drawn()},
        {"nb": GaussianNB(), "most": DummyClassifier(strategy="prior")},
        feature,
        LABELS,
        groups=SINGERS,
        protocol=["koh2021", "grouped"],
        n_repeats=2,
    )

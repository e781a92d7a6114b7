"""No window for any figure, and an evaluation that the tests of its result look at."""

import matplotlib
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from skmer.evaluation import evaluate
from tests.evaluation.singers import LABELS, SINGERS, Drawn, make_feature


@pytest.fixture(autouse=True)
def no_window():
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="session")
def feature():
    return make_feature()


@pytest.fixture(scope="session")
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

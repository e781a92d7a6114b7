"""Which tags speak for which emotion, on planted ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import SVC

from skmer.evaluation import TagImportanceDisplay


@pytest.fixture(scope="module")
def tagged():
    """Loud songs are angry, songs with little piano are sad; one tag means nothing."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 50)
    X = pd.DataFrame(rng.normal(size=(150, 3)), columns=["loud", "piano", "vocal"])
    X["loud"] += 3.0 * (y == "angry")
    X["piano"] -= 3.0 * (y == "sad")
    return X, y, np.tile(np.arange(10), 15)


@pytest.mark.parametrize("classifier", [LogisticRegression(), SVC()])
def test_importance_finds_the_tags_that_speak_for_an_emotion(tagged, classifier, drawn):
    X, y, groups = tagged
    display = TagImportanceDisplay.from_estimator(classifier, X, y, groups=groups, n_tags=2)
    assert display.classes == ["angry", "calm", "sad"]
    angry, _, sad = display.importances
    assert angry.argmax() == 0
    assert sad.argmax() == 1
    assert display.directions[0, 0] > 2
    assert display.directions[2, 1] < -2
    assert display.intervals[0, 0, 0] > 0
    assert display.intervals[0, 0, 2] < 0 < display.intervals[1, 0, 2]
    assert display.shown_[0] == (0, 0)
    assert len(display.shown_) == 6
    texts = drawn(display)
    assert {"more loud", "less piano", "angry"} <= set(texts)
    what = "probability" if hasattr(classifier, "predict_proba") else "recall"
    assert any(f"loss of {what}" in text for text in texts)


def test_importance_is_the_same_again_and_keeps_groups_apart(tagged):
    X, y, groups = tagged
    seen = []

    class Watched(GroupKFold):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append(set(groups[train]) & set(groups[test]))
                yield train, test

    first, second = (
        TagImportanceDisplay.from_estimator(
            LogisticRegression(), X, y, groups=groups, cv=Watched(3), n_repeats=2
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.importances, second.importances)
    assert seen == [set()] * 6


def test_importance_needs_a_name_for_each_tag(tagged):
    X, y, _ = tagged
    with pytest.raises(ValueError, match=r"'tags' .* each of the 3 columns of X. Got None"):
        TagImportanceDisplay.from_estimator(SVC(), X.to_numpy(), y)

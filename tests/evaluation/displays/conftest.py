"""Axes, and the texts of a figure."""

import matplotlib
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def ax():
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


@pytest.fixture
def drawn():
    """Return what draws a display's figure and lists all texts as they are seen."""

    def texts(display):
        display.figure_.canvas.draw()
        found = display.figure_.findobj(matplotlib.text.Text)
        return [text._preprocess_math(text.get_text())[0].lstrip("\u200b") for text in found]

    return texts


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    rows = [
        (feature, classifier, protocol, repeat, fold, rng.uniform(0.4, 0.9), 80, 20)
        for feature in ("mfcc", "my own", "l3")
        for classifier in ("rf", "svm")
        for protocol in ("koh2021", "grouped")
        for repeat in range(2)
        for fold in range(4)
    ]
    columns = [
        "feature",
        "classifier",
        "protocol",
        "repeat",
        "fold",
        "accuracy",
        "n_train",
        "n_test",
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(1)
    y_true = rng.choice(["sad", "happy", "calm"], 60)
    y_pred = np.where(rng.random(60) < 0.6, y_true, rng.permutation(y_true))
    frame = pd.DataFrame({"feature": "l3", "classifier": "svm", "y_true": y_true, "y_pred": y_pred})
    other = frame.assign(y_pred=frame["y_true"])
    return pd.concat([frame.assign(protocol="grouped"), other.assign(protocol="koh2021")])

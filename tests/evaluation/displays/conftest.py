"""Axes, and the texts of a figure."""

import matplotlib
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

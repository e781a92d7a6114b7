"""Colours, marks, names and texts that all displays share."""

import re

import numpy as np

from skmer.exceptions import InputTypeError
from skmer.utils._words import cut_middle

# Okabe and Ito's palette, which people with any colour vision can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# The study's colours: L3-Net blue, VGGish orange, MFCC green; it had no MusiCNN.
FEATURE_COLOURS = {
    "l3": PALETTE[0],
    "vggish": PALETTE[1],
    "mfcc": PALETTE[2],
    "musicnn": PALETTE[4],
}
FEATURE_NAMES = {"l3": "L3-Net", "vggish": "VGGish", "mfcc": "MFCC", "musicnn": "MusiCNN"}
CLASSIFIER_NAMES = {
    "svm": "SVM",
    "nb": "NB",
    "rf": "RF",
    "mlp": "MLP",
    "cnn": "CNN",
    "lstm": "LSTM",
}
# No font has them, and an SVG file with one cannot be shown.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff]")


def in_order(values, known):
    """Return the distinct values, the known ones first and in their order."""
    there = list(dict.fromkeys(values))
    return [value for value in known if value in there] + [v for v in there if v not in known]


def plain(text) -> str:
    """Return any text such that matplotlib draws it as it is, and can write it as SVG."""
    text = str(text).replace("$", r"\$")
    text = _CONTROL.sub(lambda letter: repr(letter[0])[1:-1], text)
    # matplotlib leaves labels that begin with a line out of a legend.
    return f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text


def feature_colours(features) -> dict[str, str]:
    """Return the colour of each feature; those that are not skmer's own get what is left."""
    names = list(dict.fromkeys(features))
    spare = [colour for colour in PALETTE if colour not in FEATURE_COLOURS.values()]
    others = [name for name in names if name not in FEATURE_COLOURS]
    colours = FEATURE_COLOURS | {name: spare[i % len(spare)] for i, name in enumerate(others)}
    return {name: colours[name] for name in names}


def feature_name(name, random_weights=()) -> str:
    """Return what to call a feature, and that its network was never trained where it was not."""
    label = str(FEATURE_NAMES.get(name, name))
    return f"{label} (random weights)" if name in random_weights else label


def classifier_name(name) -> str:
    """Return what to call a classifier."""
    return str(CLASSIFIER_NAMES.get(name, name))


def ink() -> str:
    """Return the colour of text, dark on a light style and light on a dark one."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def text_colour(background) -> str:
    """Return black or white, whichever is easier to read on a colour."""
    from matplotlib.colors import to_rgb

    # Relative luminance by the Web Content Accessibility Guidelines 2.
    rgb = np.array(to_rgb(background))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def axes_or_new(ax, **options):
    """Return the given axes, or those of a new figure."""
    if ax is not None:
        if not hasattr(ax, "get_xlim"):
            raise InputTypeError(
                "The 'ax' parameter must be one Axes of matplotlib, or None for a new figure. "
                f"Got {cut_middle(repr(ax), 100)} instead."
            )
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **options)[1]

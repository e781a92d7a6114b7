"""Colours, marks, names and texts that all displays share."""

import re

import numpy as np

from skmer.embeddings.registry import known_features, label_of
from skmer.exceptions import InputError, InputTypeError
from skmer.utils.labels import check_labels
from skmer.utils.messages import check_choice, cut_middle, shorten

# Okabe and Ito's palette, which people with any colour vision can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

FEATURE_NAMES = {one.name: one.label or one.name for one in known_features()}
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
    known = {one.name: one.colour for one in known_features() if one.colour}
    spare = [colour for colour in PALETTE if colour not in known.values()]
    others = [name for name in names if name not in known]
    colours = known | {name: spare[i % len(spare)] for i, name in enumerate(others)}
    return {name: colours[name] for name in names}


def feature_name(name, random_weights=()) -> str:
    """Return what to call a feature, and that its network was never trained where it was not."""
    label = label_of(str(name))
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


def random_features(frame) -> set:
    """Return the features whose network was never trained, where the frame tells."""
    if "random_weights" not in frame:
        return set()
    return set(frame.loc[frame["random_weights"].astype(bool), "feature"])


def check_columns(frame, *columns) -> None:
    """Refuse what is no data frame, or one that lacks a column."""
    if not hasattr(frame, "columns") or not hasattr(frame, "groupby"):
        raise InputTypeError(
            "A display is drawn from a data frame of pandas, such as the scores of a result. "
            f"Got {cut_middle(repr(frame), 100)} instead."
        )
    for column in columns:
        if not isinstance(column, str) or column not in frame.columns:
            raise InputError(
                f"The frame has no column {cut_middle(repr(column), 100)}. Its columns are "
                f"{shorten(frame.columns, 12)}."
            )


def check_classes(labels, y_true, y_pred) -> np.ndarray:
    """Return the classes to draw, all of them where `labels` is None."""
    y_true, y_pred = (check_labels(one, "The labels y") for one in (y_true, y_pred))
    classes = np.union1d(y_true, y_pred)
    labels = classes if labels is None else check_labels(labels, "The 'labels'")
    if not np.isin(labels, y_true).any():
        raise InputError(
            "The 'labels' parameter must hold classes that are there, "
            f"{shorten(classes, 12)}. Got {shorten(labels, 12)}."
        )
    return labels


def select(frame, **conditions):
    """Return the rows that meet the conditions; None picks the only value there is."""
    check_columns(frame, *conditions)
    for column, value in conditions.items():
        there = list(dict.fromkeys(frame[column]))
        if value is not None or len(there) > 1:
            check_choice("the display", there, **{column: value})
            frame = frame[frame[column] == value]
    return frame

"""The scores of a result as one figure, for print and for slides."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from skmer.evaluation.displays._style import MARKERS, axes_or_new, feature_colours, ink, plain
from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._words import name_of_score
from skmer.evaluation.results import BaseResult
from skmer.exceptions import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Width, greatest height, height of a row [inch], and size of the letters [pt].
SIZES = {"paper": (3.46, 9.0, 0.2, 8.0), "wide": (13.33, 7.5, 0.5, 18.0)}


def result_to_figure(result: BaseResult, size: Literal["paper", "wide"] = "paper") -> "Figure":
    """Draw the headline score of every configuration with its 95 % interval, best first.

    Colours are those of the features in every display; where several protocols were run, each has
    a mark of its own. The dashed line is what guessing gives.

    Parameters
    ----------
    size : {"paper", "wide"}, default="paper"
        "paper" is 88 mm wide, a column of a journal, with letters of 8 points; "wide" fills a
        slide of 13.3 to 7.5 inches, with letters that can be read from the back of the room.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Nothing in it is a bitmap, so ``figure.savefig("scores.pdf")`` stays sharp at any size.

    Raises
    ------
    InputError
        For another size.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> y = np.tile(["calm", "sad"], 20)
    >>> result = evaluate(
    ...     {"mine": np.eye(2)[(y == "sad") * 1]}, {"nb": GaussianNB()}, None, y, protocol="koh2021"
    ... )
    >>> figure = result.figure("paper")
    >>> round(float(figure.get_figwidth()) * 25.4)
    88
    """
    from matplotlib import rc_context

    if not isinstance(size, str) or size not in SIZES:
        raise InputError(
            f"The 'size' parameter of figure must be one of {', '.join(map(repr, SIZES))}. "
            f"Got {size!r} instead."
        )
    seen = Overview(result)
    names = list(seen.ranked["name"])
    protocols = list(dict.fromkeys(seen.intervals["protocol"]))
    width, highest, row, letters = SIZES[size]
    # Above and below the rows stand the legend, the numbers and their name.
    around = 6 * letters / 72
    row = min(row * (0.5 + 0.5 * len(protocols)), (highest - around) / len(names))
    letters = min(letters, 0.75 * 72 * row)
    with rc_context({"font.size": letters, "axes.labelsize": letters, "legend.fontsize": letters}):
        ax = axes_or_new(None, figsize=(width, around + row * len(names)))
        _draw(ax, seen, names, protocols, scale=letters / 8)
    return ax.figure


def _draw(ax, seen: Overview, names: list[str], protocols: list[str], *, scale: float) -> None:
    colours = feature_colours(seen.intervals["feature"])
    for k, protocol in enumerate(protocols):
        part = seen.intervals[seen.intervals["protocol"] == protocol]
        places = part["name"].map(names.index) + (k - (len(protocols) - 1) / 2) * 0.5 / len(
            protocols
        )
        score = part[seen.headline].to_numpy()
        reach = np.stack([score - part["low"], part["high"] - score])
        reach = np.nan_to_num(np.maximum(reach, 0))
        for i, place in enumerate(places):
            ax.errorbar(
                score[i],
                place,
                xerr=reach[:, [i]],
                fmt=MARKERS[k % len(MARKERS)],
                color=colours[part["feature"].iloc[i]],
                markersize=4 * scale,
                elinewidth=1.2 * scale,
            )
        if len(protocols) > 1:
            ax.plot([], [], MARKERS[k % len(MARKERS)], color=ink(), markersize=4 * scale,
                    label=plain(protocol))  # fmt: skip
    if seen.chance is not None:
        ax.axvline(
            seen.chance, color=ink(), linestyle="--", linewidth=0.8 * scale, label="guessing"
        )
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", width=0.8 * scale)
    ax.set_xlabel(f"{name_of_score(seen.headline)}, 95 % interval")
    ax.grid(axis="x", color="#888888", alpha=0.25, linewidth=0.6 * scale)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    if ax.get_legend_handles_labels()[0]:
        ax.figure.legend(loc="outside upper center", ncols=3, frameon=False)

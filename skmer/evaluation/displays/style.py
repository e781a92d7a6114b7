"""Colors, marks, names and drawing that all displays share."""

import re
import warnings
from functools import wraps

import numpy as np

from skmer.embeddings.registry import known_features, label_of
from skmer.utils.messages import check_choice, check_installed

# Okabe and Ito's palette, which people with any color vision can distinguish.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#808080")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

FEATURE_NAMES = {one.name: one.label or one.name for one in known_features()}
CLASSIFIER_NAMES = {name: name.upper() for name in ("svm", "nb", "rf", "mlp", "cnn", "lstm")}
_MODEL_NAMES = CLASSIFIER_NAMES | {"svr": "SVR", "ridge": "Ridge"}
# More letters leave no room for the axes on a journal's column.
_LONGEST = 36
# No font has them, and an SVG file with one cannot be shown.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff]")


def without_tex(plot):
    """Decorate what draws, so that its texts are no LaTeX where matplotlib is set to `usetex`.

    Names of features and labels would have to be escaped for it, and texts on axes are drawn late.
    """

    @wraps(plot)
    def call(*args, **options):
        check_installed("matplotlib", extra="plot", needed_for="Figures")
        from matplotlib import rc_context, rcParams, text

        if not rcParams["text.usetex"]:
            return plot(*args, **options)
        with rc_context({"text.usetex": False}):
            drawn = plot(*args, **options)
            figure = getattr(drawn, "figure_", getattr(drawn, "figure", drawn))
            for one in figure.findobj(text.Text):
                one.set_usetex(False)
            # Numbers along the axes are made here.
            figure.draw_without_rendering()
        return drawn

    return call


class Display:
    """What the displays have in common: the axes, and the lines around them."""

    def __init_subclass__(cls):
        cls.plot = without_tex(cls.plot)  # type: ignore[attr-defined]

    def _start(self, ax, *figsize):
        """Set and return the axes to draw on, those of a new figure where none are given."""
        self.ax_ = axes_or_new(ax, figsize=figsize)
        self.figure_ = self.ax_.figure
        return self.ax_

    def _finish(self, *, legend_columns=0):
        """Remove the frame, write the legend above the axes, and return the display."""
        self.ax_.spines[["top", "right"]].set_visible(False)
        if legend_columns:
            longest = max(map(len, self.ax_.get_legend_handles_labels()[1]), default=1)
            above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False}
            self.ax_.legend(ncols=max(min(legend_columns, 60 // longest), 1), **above)
        return self

    def _scatter(self, points, labels, **options):
        """Draw points, a color and a mark for each label; return the scatters by label."""
        scatters = {}
        for k, label in enumerate(np.unique(labels)):
            scatters[label] = self.ax_.scatter(
                *points[labels == label].T,
                color=PALETTE[k % len(PALETTE)],
                # Beyond the palette's end, marks distinguish the labels of one color.
                marker=MARKERS[(k + k // len(PALETTE)) % len(MARKERS)],
                edgecolors=self.ax_.get_facecolor(),
                label=plain(label),
                **options,
            )
        return scatters


def renamed(new):
    """Return a class method that warns and calls the one of the new name."""

    def call(cls, *args, **kwargs):
        message = f"This way to make a {cls.__name__} is now called {new}."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(cls, new)(*args, **kwargs)

    call.__doc__ = f"Call `{new}`, the name since version 0.3."
    return classmethod(call)


def axes_or_new(ax, **options):
    """Return the given axes, or those of a new figure."""
    if ax is None:
        check_installed("matplotlib", extra="plot", needed_for="Figures")
        import matplotlib.pyplot as plt

        return plt.subplots(layout="constrained", **options)[1]
    return ax


def annotate(ax, text, place, *, shift, coordinates="data"):
    """Write a text a few points to the right of a place."""
    ax.annotate(
        text,
        place,
        xycoords=coordinates,
        xytext=(shift, 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
    )


def in_order(values):
    """Return the distinct features or classifiers, those of the study first and in its order."""
    known = [*FEATURE_NAMES, *CLASSIFIER_NAMES]
    return sorted(dict.fromkeys(values), key=[*known, *values].index)


def _is_drawn(letter: str) -> bool:
    """Return whether one of the fonts that matplotlib is set to has a letter."""
    from matplotlib import font_manager, rcParams

    families = (font_manager.FontProperties(family=[one]) for one in rcParams["font.family"])
    fonts = (font_manager.get_font(font_manager.findfont(one)) for one in families)
    return any(font.get_char_index(ord(letter)) for font in fonts)


def _escape(letter: str) -> str:
    """Return a letter such that it is drawn, and is no mathematics; a font has a box for others."""
    if letter == "$":
        return r"\$"
    is_shown = not _CONTROL.match(letter) and (letter.isascii() or _is_drawn(letter))
    return letter if is_shown else ascii(letter)[1:-1]


def plain(text) -> str:
    """Return any text such that matplotlib draws it as it is, and can write it as SVG.

    Letters that none of the fonts in ``rcParams["font.family"]`` has are escaped. To see them, put
    a font that has them behind the first, as in ``["sans-serif", "Noto Sans CJK JP"]``. A text that
    leaves no room for the axes loses its middle, since names differ at either end.
    """
    letters = [*map(_escape, str(text))]
    n_kept = len(letters) * _LONGEST // max(sum(map(len, letters)), _LONGEST)
    if n_kept < len(letters):
        letters[-(-n_kept // 2) : len(letters) - n_kept // 2] = "..."
    # matplotlib leaves labels that begin with a line out of a legend.
    return "".join(["\N{ZERO WIDTH SPACE}" if letters[:1] == ["_"] else "", *letters])


def feature_colors(features) -> dict[str, str]:
    """Return the color of each feature; those that are not skmer's own share what is left."""
    names = list(dict.fromkeys(features))
    known = {one.name: one.color for one in known_features() if one.color}
    spare = [color for color in PALETTE if color not in known.values()]
    others = [name for name in names if name not in known]
    colors = known | {name: spare[i % len(spare)] for i, name in enumerate(others)}
    return {name: colors[name] for name in names}


def name_of(part, random=()) -> str:
    """Return the name of a feature or model for people, marked where its network is random."""
    name = _MODEL_NAMES.get(part) or label_of(str(part))
    return f"{name} (random weights)" if part in random else name


def text_color() -> str:
    """Return the color of text, dark on a light style and light on a dark one."""
    from matplotlib import rcParams

    return rcParams["text.color"]


def contrast_color(background) -> str:
    """Return black or white, whichever is easier to read on a color."""
    from matplotlib.colors import to_rgb

    # Relative luminance by the Web Content Accessibility Guidelines 2.
    rgb = np.array(to_rgb(background))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def random_features(frame) -> set:
    """Return the features whose network was never trained, where the frame has them marked."""
    if "random_weights" not in frame:
        return set()
    return set(frame.loc[frame["random_weights"].astype(bool), "feature"])


def select(frame, **conditions):
    """Return the rows that satisfy the conditions; None is for a column with a single value."""
    for column, value in conditions.items():
        found = list(dict.fromkeys(frame[column]))
        if value is not None or len(found) > 1:
            # Rows of several configurations must not be pooled into one score.
            check_choice("the display", found, **{column: value})
            frame = frame[frame[column] == value]
    return frame

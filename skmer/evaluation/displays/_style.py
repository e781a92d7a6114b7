"""Colours, marks and names that all displays share."""

# Okabe and Ito's palette, which people with any colour vision can tell apart.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#555555")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# The study's colours: L3-Net blue, VGGish orange, MFCC green.
FEATURE_COLOURS = {"l3": PALETTE[0], "vggish": PALETTE[1], "mfcc": PALETTE[2]}
FEATURE_NAMES = {"l3": "L3-Net", "vggish": "VGGish", "mfcc": "MFCC"}
CLASSIFIER_NAMES = {
    "svm": "SVM",
    "nb": "NB",
    "rf": "RF",
    "mlp": "MLP",
    "cnn": "CNN",
    "lstm": "LSTM",
}


def in_order(values, known):
    """Return the distinct values, the known ones first and in their order."""
    there = list(dict.fromkeys(values))
    return [value for value in known if value in there] + [v for v in there if v not in known]


def axes_or_new(ax, **options):
    """Return the given axes, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **options)[1]

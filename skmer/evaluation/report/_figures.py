"""The figures of a report, drawn without pyplot so that no window system is touched."""

import numpy as np

from skmer.evaluation.displays._style import FEATURE_COLOURS, PALETTE


def draw_scores(result):
    """Draw the headline score of each configuration, a panel for each protocol."""
    from matplotlib.figure import Figure

    headline, (first, *rest) = result.metrics[0], result.configuration
    summary = result.summary()
    protocols = list(summary["protocol"].unique())
    bars = list(summary[first].unique())
    places = list(summary[rest].drop_duplicates().itertuples(index=False, name=None))
    figure = Figure(figsize=(1.5 + max(4, 1.1 * len(places)) * len(protocols), 3.6))
    panels = figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
    width = 0.8 / len(bars)
    for panel, protocol in zip(panels, protocols):
        of_protocol = summary[summary["protocol"] == protocol]
        for i, bar in enumerate(bars):
            rows = of_protocol[of_protocol[first] == bar]
            at = [places.index(key) for key in rows[rest].itertuples(index=False, name=None)]
            panel.bar(
                np.array(at) + (i - (len(bars) - 1) / 2) * width,
                rows[headline],
                width,
                yerr=None if result.is_pooled else rows[f"{headline}_std"].fillna(0),
                capsize=2,
                label=_label(bar, result),
                color=FEATURE_COLOURS.get(bar, PALETTE[3 + i % 5]),
            )
        panel.set_xticks(range(len(places)), [" ".join(place) for place in places])
        panel.set_title(protocol)
    panels[0].set_ylabel(headline)
    panels[-1].legend(frameon=False, fontsize="small")
    figure.tight_layout()
    return figure


def _label(feature: str, result) -> str:
    return f"{feature} (random weights)" if feature in result.random_features() else feature


def draw_confusion(result):
    """Yield title and confusion matrix of the best configuration under each protocol."""
    from matplotlib.figure import Figure

    from skmer.evaluation.displays import ConfusionDisplay

    if not result.has_classes:
        return
    summary = result.summary()
    for protocol in summary["protocol"].unique():
        of_protocol = summary[summary["protocol"] == protocol]
        best = of_protocol.loc[of_protocol[result.metrics[0]].idxmax()]
        n_classes = result.predictions["y_true"].nunique()
        figure = Figure(figsize=(2 + 0.6 * n_classes, 1.6 + 0.6 * n_classes))
        chosen = {key: best[key] for key in (*result.configuration, "protocol")}
        ConfusionDisplay.from_frame(result.predictions, **chosen, ax=figure.subplots())
        figure.tight_layout()
        yield f"{protocol}: {' + '.join(best[key] for key in result.configuration)}", figure

"""The figures of the report, each a title and an svg; nothing is computed but the drawing."""

from collections.abc import Iterator

from skmer.evaluation import (
    AccuracyBarsDisplay,
    ConfusionDisplay,
    EmbeddingMapDisplay,
    EvaluationResult,
    GapDisplay,
    PairedComparisonDisplay,
    PerClassReportDisplay,
)
from skmer.evaluation.displays import CLASSIFIER_NAMES, PALETTE
from skmer.studies.koh2021._datasets import titles
from skmer.studies.koh2021._editions import EDITIONS, Edition
from skmer.studies.koh2021._features import LARGE, LARGE_CLASSIFIER
from skmer.studies.koh2021._findings import Findings
from skmer.studies.koh2021._published import ADDITIONS, FEATURES, published
from skmer.studies.koh2021._table import headline_protocol
from skmer.studies.koh2021.pieces._checks import mean_chance
from skmer.studies.koh2021.pieces._maps import SingerMap
from skmer.studies.koh2021.report._html import figure_as_svg
from skmer.studies.koh2021.report._news import name_of_feature

Figures = list[tuple[str, str]]


def draw_bars(findings: Findings, dataset: str) -> Figures:
    """Draw the accuracies of a dataset in the study's form, an edition a figure."""
    figures = []
    for edition, result in _editions(findings, dataset):
        intervals = findings.intervals[dataset, edition.name]
        intervals = intervals[intervals["feature"].isin((*FEATURES, *ADDITIONS))]
        protocol = headline_protocol(result.scores, edition)
        chance = mean_chance(findings.datasets.clips[dataset, edition.name].target)
        figure, axes = _new(6.4, 3.4)
        AccuracyBarsDisplay.from_intervals(intervals, protocol=protocol, chance=chance, ax=axes)
        title = f"{titles()[dataset]}, {edition.name}: {_in_words(protocol)}"
        added = [name_of_feature(name) for name in ADDITIONS if name in set(intervals["feature"])]
        title += "".join(f"; {name}, not in the study" for name in added)
        figures.append(_finish(figure, title))
    return figures


def draw_gaps(findings: Findings, dataset: str) -> Figures:
    """Draw what random splits give away, an edition a figure."""
    figures = []
    for edition, _ in _editions(findings, dataset):
        table = findings.intervals[dataset, edition.name].pivot_table(
            index=["feature", "classifier"], columns="protocol", values="accuracy", sort=False
        )
        if "grouped" not in table:
            continue
        names = [
            f"{name_of_feature(feature)} + {CLASSIFIER_NAMES[classifier]}"
            for feature, classifier in table.index
        ]
        figure, axes = _new(6.0, 0.34 * len(names) + 1.3)
        GapDisplay(table["koh2021"], table["grouped"], names).plot(axes)
        figures.append(
            _finish(figure, f"{titles()[dataset]}, {edition.name}: random minus grouped")
        )
    return figures


def draw_best(findings: Findings, dataset: str) -> Figures:
    """Draw confusion and report of the best cell of each edition, and of the study's own cell."""
    figures = []
    for edition, result in _editions(findings, dataset):
        protocol = headline_protocol(result.scores, edition)
        summary = result.summary()
        summary = summary[summary["protocol"] == protocol]
        best = summary.loc[summary["accuracy"].idxmax()]
        cells = {(best["feature"], best["classifier"]): "best"}
        there = set(zip(summary["feature"], summary["classifier"]))
        for row in published()["accuracy"]:
            cell = row["feature"], row["classifier"]
            if row["dataset"] == dataset and cell in there:
                cells.setdefault(cell, "the study's")
        clips = findings.datasets.clips[dataset, edition.name]
        labels = [name for name in clips.target_names if name in clips.target]
        for (feature, classifier), why in cells.items():
            chosen = {"feature": feature, "classifier": classifier, "protocol": protocol}
            title = f"{titles()[dataset]}, {edition.name}, {why}: {name_of_feature(feature)} + "
            title += CLASSIFIER_NAMES[classifier]
            figure, axes = _new(2.0 + 0.55 * len(labels), 1.6 + 0.55 * len(labels))
            ConfusionDisplay.from_frame(result.predictions, **chosen, labels=labels, ax=axes)
            figures.append(_finish(figure, f"{title}, confusion"))
            figure, axes = _new(4.6, 0.42 * len(labels) + 1.5)
            PerClassReportDisplay.from_frame(result.predictions, **chosen, labels=labels, ax=axes)
            figures.append(_finish(figure, f"{title}, by class"))
    return figures


def draw_map(singer_map: SingerMap) -> Figures:
    """Draw a map three times, and the purity of its labels over perplexities."""
    figures = []
    feature = name_of_feature(singer_map.feature.name)
    for name, labels in singer_map.labels.items():
        figure, axes = _new(5.8, 4.2)
        EmbeddingMapDisplay(singer_map.points, labels, name=name).plot(axes)
        title = f"{feature}, perplexity {singer_map.perplexity}, coloured by {name}"
        figures.append(_finish(figure, title))
    figure, axes = _new(5.8, 3.4)
    for colour, (name, rows) in zip(PALETTE, singer_map.purity.groupby("label", sort=False)):
        axes.plot(rows["perplexity"], rows["purity"], "o-", color=colour, label=name)
        axes.axhline(rows["chance"].iloc[0], color=colour, linestyle="--", linewidth=0.9)
    axes.set(xlabel="perplexity", ylabel="purity of 10 neighbours", ylim=(0, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    figures.append(_finish(figure, f"{feature}, purity over perplexities; dashed: by chance"))
    return figures


def draw_sizes(findings: Findings) -> Figures:
    """Draw 512 against 6144 dimensions of L3-Net, split by split."""
    figures = []
    for dataset in findings.datasets.names:
        for edition, result in _editions(findings, dataset):
            if LARGE not in set(result.scores["feature"]):
                continue
            protocol = headline_protocol(result.scores, edition)
            chosen = {"classifier": LARGE_CLASSIFIER, "protocol": protocol}
            figure, axes = _new(4.4, 4.6)
            PairedComparisonDisplay.from_scores(
                result.scores,
                {"feature": LARGE, **chosen},
                {"feature": "l3", **chosen},
                names=("6144 dimensions", "512 dimensions"),
                ax=axes,
            )
            figures.append(_finish(figure, f"{titles()[dataset]}, {edition.name}"))
    return figures


def _editions(findings: Findings, dataset: str) -> Iterator[tuple[Edition, EvaluationResult]]:
    for edition in EDITIONS:
        if (dataset, edition.name) in findings.results:
            yield edition, findings.results[dataset, edition.name]


def _new(width: float, height: float):
    """Return figure and axes without pyplot, so that no window system is touched."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _finish(figure, title: str) -> tuple[str, str]:
    return title, figure_as_svg(figure, title)


def _in_words(protocol: str) -> str:
    return "groups kept apart" if protocol == "grouped" else "random 80/10/10 splits"

"""The report of the reproduction: one html page that stands alone."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from skmer import evaluation
from skmer.evaluation.displays.style import PALETTE
from skmer.evaluation.report import words
from skmer.evaluation.report.page import render_page
from skmer.evaluation.report.tables import Table
from skmer.evaluation.report.words import Note, name_of
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021.claims import HELD, NOT_HELD, Claim
from skmer.studies.koh2021.pieces import SingerMap
from skmer.utils.digest import versions
from skmer.utils.messages import check_installed, name_slowest

# Stands for the page's color of text while a figure is drawn; nothing else is drawn in it.
_TEXT = "#010203"
_STYLE: dict = {
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _TEXT
    ),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    # A fixed salt: the same result gives the same page.
    "svg.hashsalt": "skmer",
}


def table_as_html(table) -> str:
    """Return a data frame as a table element, with empty cells for what is missing."""
    table = table.rename(columns=words.COLUMN_NAMES | words.SCORE_NAMES)
    # None in a column of text is an empty cell too, which na_rep does not cover.
    table = table.astype(object).where(table.notna(), "")
    return table.to_html(index=False, float_format="{:.2f}".format, border=0)


def drawn_for_page():
    """Return a context in which figures are drawn such that they follow the page's colors."""
    check_installed("matplotlib", extra="plot", needed_for="Reports of a study")
    from matplotlib import rc_context

    return rc_context(_STYLE)


def figure_as_svg(figure, title: str) -> str:
    """Return a figure as a svg element whose text and lines have the color of the page's text."""
    buffer = StringIO()
    figure.savefig(
        buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    text = buffer.getvalue()
    # Comments hold the names of a user's data, and are of no use to a reader.
    text = re.sub(r"<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(_TEXT, "currentColor")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


_MODELS = {
    "svm": "a support vector machine",
    "nb": "naive Bayes",
    "rf": "a random forest",
    "mlp": "a multilayer perceptron",
    "cnn": "a convolutional network",
    "lstm": "an LSTM",
}
_KEPT_APART = dict.fromkeys(study.DATASETS, "artists") | {"ravdess-song": "singers"}


def name_of_feature(feature: str) -> str:
    """Return the name of a feature, with a remark where the study did not have it."""
    return name_of(feature) + (" (addition)" if feature in study.ADDITIONS else "")


def sort_claims(claims: list[Claim]) -> dict[str, list[Claim]]:
    """Put the claims under "held" in every edition tested, "not held" in one, or "untested"."""
    sorted_claims: dict[str, list[Claim]] = {HELD: [], NOT_HELD: [], "untested": []}
    for claim in claims:
        states = {verdict.state for verdict in claim.verdicts.values()} & {HELD, NOT_HELD}
        place = NOT_HELD if NOT_HELD in states else HELD if states else "untested"
        sorted_claims[place].append(claim)
    return sorted_claims


def make_headline(claims: dict[str, list[Claim]]) -> str:
    """Return one sentence on how many claims were tested, and how many hold."""
    held, fallen, untested = (len(group) for group in claims.values())
    tested = held + fallen
    if not tested:
        return f"None of the study's {untested} claims can be tested with what is in place."
    return (
        f"Of the study's {tested + untested} claims {tested} can be tested with what is in place: "
        f"{held} {'holds' if held == 1 else 'hold'}, {fallen} {'does' if fallen == 1 else 'do'} "
        "not hold in full."
    )


def find_news(findings) -> list[Note]:
    """Return what the numbers show beyond single claims."""
    return [
        *_unfinished(findings),
        *_mfcc_news(findings),
        *_gap_news(findings),
        *_addition_news(findings),
    ]


def _unfinished(findings) -> Iterator[Note]:
    """Yield how many rounds were done, where it is not all of them."""
    if findings.ended_by is None:
        return
    why = "the time was over" if findings.ended_by == "time" else "it was interrupted"
    text = f"Not finished, since {why}: {max(findings.rounds, 1)} of {findings.budget.n_rounds} "
    text += "rounds" + ("" if findings.rounds else ", and that only with the classifiers below")
    slowest = name_slowest(findings.slowest()).strip()
    yield Note("doubtful", f"{text}. The same command goes on from here.", slowest)


def find_cautions(findings) -> list[Note]:
    """Return what limits all of it: less computing, data or weights than the study had."""
    notes = []
    changes = study.describe_reductions(findings.budget)
    if changes:
        text = "This is a quick run: it computes less than the study did, so its numbers are "
        text += "rougher, the networks are trained less, and its verdicts are provisional."
        notes.append(Note("doubtful", text, "; ".join(changes) + "."))
    for name, reason in findings.left_out.items():
        notes.append(Note("doubtful", f"{name_of_feature(name)} is left out.", reason))
    for name, label in findings.random_features.items():
        text = f"{name_of_feature(name)}: {label}. Its network was never trained; its numbers say "
        text += "nothing about the embedding of that name, and claims on it are not testable."
        notes.append(Note("bad", text))
    if findings.datasets.missing:
        names = ", ".join(study.titles()[name] for name in findings.datasets.missing)
        notes.append(Note("neutral", f"Not in place, and so untested: {names}."))
    return notes + [Note("doubtful", note) for note in findings.datasets.notes]


def find_gaps(findings) -> dict[str, list[dict]]:
    """Return mean and widest gap of each edition, random minus grouped splits, by dataset."""
    table = findings.table[findings.table["score"] == "accuracy"]
    found: dict[str, list[dict]] = {}
    for dataset in findings.datasets.names:
        cells = table[table["dataset"] == dataset]
        for edition in study.EDITIONS:
            gaps = cells[f"{edition.name}_gap"].to_numpy(dtype=float)
            if np.isfinite(gaps).any():
                gap = {"edition": edition.name, "mean": float(np.nanmean(gaps))}
                gap |= {"widest": float(np.nanmax(gaps))}
                gap |= {"cell": _cell(cells.iloc[int(np.nanargmax(gaps))])}
                found.setdefault(dataset, []).append(gap)
    return found


def _mfcc_news(findings) -> Iterator[Note]:
    """Compare MFCC, which needs no network, with the best accuracies that the study printed."""
    for printed in study.published()["accuracy"]:
        dataset, best = printed["dataset"], printed["value"]
        if dataset not in findings.datasets.names:
            continue
        scores = pd.concat(
            findings.intervals[dataset, edition.name].assign(edition=edition.name)
            for edition in study.EDITIONS
        )
        plain = scores[scores["feature"] == "mfcc"]
        random = plain[plain["protocol"] == "koh2021"]
        if random.empty:
            continue
        top, groups = _best(random), _KEPT_APART[dataset]
        same = (plain["classifier"] == top["classifier"]) & (plain["edition"] == top["edition"])
        beats = top["accuracy"] > best
        text = (
            f"{study.titles()[dataset]}: plain MFCC with {_MODELS[top['classifier']]}, without any "
            f"network, {'beats' if beats else 'does not beat'} the study's best by random splits: "
            f"{words.in_hundred(top['accuracy'])} of 100 clips are named rightly, against "
            f"{words.in_hundred(best)} by {_cell(printed)}"
        )
        detail = f"Settings of the {top['edition']} edition; accuracy by random splits "
        detail += _interval(top)
        for kept in plain[same & (plain["protocol"] == "grouped")].to_dict("records"):
            moves = "falls to" if kept["accuracy"] < top["accuracy"] else "has"
            text += f". With {groups} kept apart it {moves} {words.in_hundred(kept['accuracy'])}"
            detail += f", with {groups} kept apart {_interval(kept)}"
        yield Note("bad" if beats else "neutral", f"{text}.", f"{detail}; 95 % intervals.")


def _gap_news(findings) -> Iterator[Note]:
    """Return for each dataset what random splits add."""
    for dataset, gaps in find_gaps(findings).items():
        groups = _KEPT_APART[dataset]
        # Rounded to whole numbers, so that there is no -0.
        listed = "; ".join(
            f"{round(100 * gap['mean']):+d} on average in the {gap['edition']} edition, "
            f"{round(100 * gap['widest']):+d} at most ({gap['cell']})"
            for gap in gaps
        )
        text = (
            f"{study.titles()[dataset]}: random splits, which mix {groups} and are what the "
            f"published figures come from, score differently from splits that keep {groups} "
            f"apart, in points of 100: {listed}."
        )
        flattered = any(gap["mean"] > 0 for gap in gaps)
        yield Note("doubtful" if flattered else "neutral", text)


def _addition_news(findings) -> Iterator[Note]:
    """Compare each addition with the best of the study's own features, groups kept apart."""
    edition = study.EDITIONS[-1]
    for dataset in findings.datasets.names:
        scores = edition.headline_rows(findings.intervals[dataset, edition.name])
        own = scores[scores["feature"].isin(study.FEATURES)]
        for name in study.ADDITIONS:
            added = scores[scores["feature"] == name]
            if added.empty:
                continue
            best = _best(added)
            text = f"{study.titles()[dataset]}: {name_of(name)}, which the study did not have, "
            text += f"reaches {_interval(best)} with {_MODELS[best['classifier']]} in the "
            text += f"{edition.name} edition"
            if not own.empty:
                other = _best(own)
                text += "; the best of the study's own features is "
                text += f"{_cell(other)} with {_interval(other)}"
            yield Note("neutral", f"{text}.")


def _best(scores) -> dict:
    return scores.to_dict("records")[int(scores["accuracy"].argmax())]


def _cell(row) -> str:
    return f"{name_of_feature(row['feature'])} + {name_of(row['classifier'])}"


def _interval(row) -> str:
    return words.with_interval(row["accuracy"], row["low"], row["high"])


def render_study(findings) -> str:
    """Return the page as a string."""
    claims = sort_claims(findings.claims)
    with drawn_for_page():
        drawings = {
            "sections": [_section(findings, dataset) for dataset in findings.datasets.names],
            "maps": [
                (drawn, draw_map(drawn), table_as_html(_purity(drawn)))
                for drawn in findings.maps.values()
            ],
            "sizes": [
                figure
                for dataset in findings.datasets.names
                for edition in study.EDITIONS
                for figure in draw_sizes(findings, dataset, edition)
            ],
        }
    return render_page(
        "koh2021.html.j2",
        package=__package__,
        charts={},
        data={},
        title="Koh and Dubnov (2021) reproduced",
        headline=make_headline(claims),
        news=find_news(findings),
        cautions=find_cautions(findings),
        claims=claims,
        findings=findings,
        titles=study.titles(),
        published=study.published(),
        editions=study.EDITIONS,
        table=_main_table(findings),
        feature_name=name_of_feature,
        regressions=_regressions(findings),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **drawings,
    )


def _main_table(findings) -> Table:
    """Return the table 'published / faithful / defensible', intervals and gaps at the end."""
    columns = ["Dataset", "Configuration", "Published"]
    columns += [edition.name.capitalize() for edition in study.EDITIONS]
    n_main = len(columns)
    for edition in study.EDITIONS:
        columns += [f"95 % interval, {edition.name}", f"Gap, {edition.name}"]
    rows = []
    for row in findings.table.to_dict("records"):
        random = " (random weights)" if row["feature"] in findings.random_features else ""
        name = f"{name_of_feature(row['feature'])}{random} + {name_of(row['classifier'])}"
        name += f", r² of {row['target']}" if row["target"] else ""
        cells: list[tuple[str, Any]] = [
            (text, text.lower()) for text in (study.titles()[row["dataset"]], name)
        ]
        cells.append(_number(row["published"]))
        for edition in study.EDITIONS:
            text, key = _number(row[edition.name])
            if row[f"{edition.name}_protocol"] == "koh2021" != edition.protocol:
                text += " (random: no groups)"
            cells.append((text, key))
        for edition in study.EDITIONS:
            low, high = row[f"{edition.name}_low"], row[f"{edition.name}_high"]
            _, width = _number(high - low)
            cells.append((f"{low:.2f} to {high:.2f}" if low <= high else "", width))
            cells.append(_number(row[f"{edition.name}_gap"], "+.2f"))
        rows.append(cells)
    caption = "Accuracy, and r² where it says so: published, and found by two editions"
    if findings.table["addition"].any():
        caption += "; an addition is a feature that the study did not have"
    csv = findings.table.to_csv(index=False)
    return Table("study", caption, columns, rows, main=n_main - 1, csv=csv)


def _number(value: float, form: str = ".2f") -> tuple[str, float]:
    """Return the text of a cell and its key for sorting, which puts empty cells last."""
    return (f"{value:{form}}", value) if np.isfinite(value) else ("", -9.0)


def _section(findings, dataset: str) -> dict:
    """Return the figures and tables of one dataset; the editions stay in tables of their own."""
    columns = ["feature", "classifier", "protocol", "n_splits", "accuracy", "accuracy_std"]
    columns += ["f1_macro", "f1_weighted", "balanced_accuracy", "gap"]
    section: dict[str, Any] = {"id": dataset, "title": study.titles()[dataset], "summaries": []}
    section |= {"bars": [], "gaps": [], "best": []}
    for edition in study.EDITIONS:
        summary = findings.results[dataset, edition.name].summary()
        table = summary[[column for column in columns if column in summary]]
        section["summaries"].append((edition, table_as_html(table)))
        section["bars"] += draw_bars(findings, dataset, edition)
        section["gaps"] += draw_gaps(findings, dataset, edition)
        section["best"] += draw_best(findings, dataset, edition)
    return section


def _regressions(findings) -> list[tuple[str, str, str]]:
    """Return a table of scores for each feature and edition, equal ones once."""
    tables: dict[tuple[str, str], list[str]] = {}
    keys = ["feature", "regressor", "target", "protocol"]
    for (feature, edition), result in findings.regressions.items():
        intervals = findings.r2_intervals[feature, edition].rename(columns={"r2": "pooled r2"})
        summary = result.summary()[[*keys, "n_splits", "r2", "r2_std", "ccc", "rmse"]]
        html = table_as_html(summary.merge(intervals, on=keys).drop(columns="feature"))
        tables.setdefault((feature, html), []).append(edition)
    return [
        (name_of_feature(feature), " and ".join(editions), html)
        for (feature, html), editions in tables.items()
    ]


def _purity(singer_map: SingerMap):
    """Return the purities of a map, a column a label."""
    table = singer_map.purity.pivot_table(index="perplexity", columns="label", values="purity")
    table.loc["by chance"] = singer_map.purity.groupby("label")["chance"].first()
    table = table.reset_index()[["perplexity", "emotion", "singer", "sex"]]
    return table.rename_axis(columns=None)


# Titles and svg elements.
Figures = Iterator[tuple[str, str]]


def _draw(title: str, width: float, height: float, draw: Callable) -> tuple[str, str]:
    """Return a figure without pyplot, so that no window system is touched."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots())
    return title, figure_as_svg(figure, title)


def draw_bars(findings, dataset: str, edition) -> Figures:
    """Draw the accuracies of a dataset in the study's form."""
    intervals = findings.intervals[dataset, edition.name]
    intervals = intervals[intervals["feature"].isin((*study.FEATURES, *study.ADDITIONS))]
    protocol = edition.headline_protocol(intervals)
    target = findings.datasets.clips[dataset, edition.name].target
    chance = np.unique(target, return_counts=True)[1].max() / len(target)
    splits = "groups kept apart" if protocol == "grouped" else "random 80/10/10 splits"
    title = f"{study.titles()[dataset]}, {edition.name}: {splits}"
    added = [name_of_feature(name) for name in study.ADDITIONS if name in set(intervals["feature"])]
    title += "".join(f"; {name}, not in the study" for name in added)
    options = {"protocol": protocol, "chance": chance}
    yield _draw(
        title,
        6.4,
        3.4,
        lambda ax: evaluation.AccuracyBarsDisplay.from_frame(intervals, **options, ax=ax),
    )


def draw_gaps(findings, dataset: str, edition) -> Figures:
    """Draw what random splits add."""
    table = findings.intervals[dataset, edition.name].pivot_table(
        index=["feature", "classifier"], columns="protocol", values="accuracy", sort=False
    )
    if "grouped" in table:
        names = [_cell(row) for row in table.index.to_frame().to_dict("records")]
        title = f"{study.titles()[dataset]}, {edition.name}: random minus grouped"
        display = evaluation.GapDisplay(table["koh2021"], table["grouped"], names)
        yield _draw(title, 6.0, 0.34 * len(names) + 1.3, display.plot)


def draw_best(findings, dataset: str, edition) -> Figures:
    """Draw confusion and report of the best cell of an edition, and of the study's own cell."""
    result = findings.results[dataset, edition.name]
    summary = edition.headline_rows(result.summary())
    best = summary.loc[summary["accuracy"].idxmax()]
    cells = {(best["feature"], best["classifier"]): "best"}
    ran = set(zip(summary["feature"], summary["classifier"]))
    for row in study.published()["accuracy"]:
        cell = row["feature"], row["classifier"]
        if row["dataset"] == dataset and cell in ran:
            cells.setdefault(cell, "the study's")
    clips = findings.datasets.clips[dataset, edition.name]
    labels = [name for name in clips.target_names if name in clips.target]
    for (feature, classifier), why in cells.items():
        chosen: dict[str, Any] = {"feature": feature, "classifier": classifier}
        title = f"{study.titles()[dataset]}, {edition.name}, {why}: {_cell(chosen)}"
        chosen |= {"protocol": best["protocol"], "labels": labels}
        for kind, display, width, height in (
            (
                "confusion",
                evaluation.ConfusionDisplay,
                2.0 + 0.55 * len(labels),
                1.6 + 0.55 * len(labels),
            ),
            ("by class", evaluation.PerClassReportDisplay, 4.6, 0.42 * len(labels) + 1.5),
        ):

            def draw(ax, display=display, chosen=chosen):
                display.from_frame(result.predictions, **chosen, ax=ax)

            yield _draw(f"{title}, {kind}", width, height, draw)


def draw_map(singer_map: SingerMap) -> list[tuple[str, str]]:
    """Draw a map three times, and the purity of its labels over perplexities."""
    feature = name_of_feature(singer_map.feature.name)
    figures = []
    for name, labels in singer_map.labels.items():
        title = f"{feature}, perplexity {singer_map.perplexity}, coloured by {name}"
        display = evaluation.EmbeddingMapDisplay(singer_map.points, labels, name=name)
        figures.append(_draw(title, 5.8, 4.2, display.plot))

    def draw_purity(ax):
        for color, (name, rows) in zip(PALETTE, singer_map.purity.groupby("label", sort=False)):
            ax.plot(rows["perplexity"], rows["purity"], "o-", color=color, label=name)
            ax.axhline(rows["chance"].iloc[0], color=color, linestyle="--", linewidth=0.9)
        ax.set(xlabel="perplexity", ylabel="purity of 10 neighbours", ylim=(0, 1.02))
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)

    title = f"{feature}, purity over perplexities; dashed: by chance"
    return [*figures, _draw(title, 5.8, 3.4, draw_purity)]


def draw_sizes(findings, dataset: str, edition) -> Figures:
    """Draw 512 against 6144 dimensions of L3-Net, split by split."""
    scores = edition.headline_rows(findings.results[dataset, edition.name].scores)
    scores = scores[scores["classifier"] == study.LARGE_CLASSIFIER]
    if study.LARGE in set(scores["feature"]):
        names = ("6144 dimensions", "512 dimensions")

        def draw(ax):
            pair = {"feature": study.LARGE}, {"feature": "l3"}
            evaluation.PairedComparisonDisplay.from_frame(scores, *pair, names=names, ax=ax)

        yield _draw(f"{study.titles()[dataset]}, {edition.name}", 4.4, 4.6, draw)

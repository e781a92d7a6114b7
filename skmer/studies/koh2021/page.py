"""The report: one html page that stands alone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from io import StringIO

import numpy as np

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
from skmer.evaluation.report import (
    COLUMN_NAMES,
    SCORE_NAMES,
    Note,
    Table,
    in_hundred,
    name_of,
    render_page,
    with_interval,
)
from skmer.studies.koh2021 import page as _figures
from skmer.studies.koh2021.claims import HELD, NOT_HELD, Claim, Findings, headline_protocol
from skmer.studies.koh2021.data import (
    ADDITIONS,
    DATASETS,
    EDITIONS,
    FEATURES,
    LARGE,
    LARGE_CLASSIFIER,
    Edition,
    describe_reductions,
    published,
    titles,
)
from skmer.studies.koh2021.pieces import SingerMap, mean_chance
from skmer.utils.digest import versions

# Stands for the page's colour of text while a figure is drawn; nothing else is drawn in it.
_INK = "#010203"
_IN_INK: dict = {
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    ),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    # A fixed salt: the same result gives the same page.
    "svg.hashsalt": "skmer",
}


def table_as_html(table) -> str:
    """Return a data frame as a table element, with empty cells for what is missing."""
    table = table.rename(columns=COLUMN_NAMES | SCORE_NAMES)
    # None in a column of text is an empty cell too, which na_rep alone does not see to.
    table = table.astype(object).where(table.notna(), "")
    return table.to_html(index=False, float_format="{:.2f}".format, border=0)


def drawn_for_page():
    """Return a context in which figures are drawn such that they follow the page's colours."""
    from matplotlib import rc_context

    return rc_context(_IN_INK)


def figure_as_svg(figure, title: str) -> str:
    """Return a figure as a svg element whose text and lines have the colour of the page's text."""
    buffer = StringIO()
    figure.savefig(
        buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    text = buffer.getvalue()
    # Comments hold the names of a user's data, and are of no use to a reader.
    text = re.sub(r"<!--.*?-->", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(_INK, "currentColor")
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


PLAIN = "mfcc"
_MODELS = {
    "svm": "a support vector machine",
    "nb": "naive Bayes",
    "rf": "a random forest",
    "mlp": "a multilayer perceptron",
    "cnn": "a convolutional network",
    "lstm": "an LSTM",
}
_KEPT_APART = {"ravdess-song": "singers"}


def name_of_feature(feature: str) -> str:
    """Return the name of a feature, and say where the study did not have it."""
    return name_of(feature) + (" (addition)" if feature in ADDITIONS else "")


def sort_claims(claims: list[Claim]) -> dict[str, list[Claim]]:
    """Put the claims under "held" in every edition tested, "not held" in one, or "untested"."""
    sorted_claims: dict[str, list[Claim]] = {HELD: [], NOT_HELD: [], "untested": []}
    for claim in claims:
        states = {verdict.state for verdict in claim.verdicts.values()} & {HELD, NOT_HELD}
        place = NOT_HELD if NOT_HELD in states else HELD if states else "untested"
        sorted_claims[place].append(claim)
    return sorted_claims


def make_headline(claims: dict[str, list[Claim]]) -> str:
    """Say in one sentence how many claims were tested, and how many hold."""
    held, fallen, untested = (len(group) for group in claims.values())
    tested = held + fallen
    if not tested:
        return f"None of the study's {untested} claims can be tested with what is in place."
    return (
        f"Of the study's {tested + untested} claims {tested} can be tested with what is in place: "
        f"{held} {'holds' if held == 1 else 'hold'}, {fallen} {'does' if fallen == 1 else 'do'} "
        "not hold in full."
    )


def find_news(findings: Findings) -> list[Note]:
    """Say what the numbers show beyond single claims."""
    return [
        *_plain_against_best(findings),
        *_gap_news(findings),
        *_addition_news(findings),
    ]


def find_cautions(findings: Findings) -> list[Note]:
    """Say what limits all of it: less computing, data or weights than the study had."""
    notes = []
    changes = describe_reductions(findings.budget)
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
        names = ", ".join(titles()[name] for name in findings.datasets.missing)
        notes.append(Note("neutral", f"Not in place, and so untested: {names}."))
    return notes + [Note("doubtful", note) for note in findings.datasets.notes]


def find_gaps(findings: Findings) -> dict[str, list[dict]]:
    """Return mean and widest gap of each edition, random minus grouped splits, by dataset."""
    table = findings.table[findings.table["score"] == "accuracy"]
    found: dict[str, list[dict]] = {}
    for dataset in findings.datasets.names:
        cells = table[table["dataset"] == dataset]
        for edition in EDITIONS:
            gaps = cells[f"{edition.name}_gap"].to_numpy(dtype=float)
            if np.isfinite(gaps).any():
                widest = cells.iloc[int(np.nanargmax(gaps))]
                gap = {
                    "edition": edition.name,
                    "mean": float(np.nanmean(gaps)),
                    "widest": float(np.nanmax(gaps)),
                    "cell": _cell(widest["feature"], widest["classifier"]),
                }
                found.setdefault(dataset, []).append(gap)
    return found


def _plain_against_best(findings: Findings) -> Iterator[Note]:
    """Compare what needs no network with the best that the study printed."""
    import pandas as pd

    for printed in published()["accuracy"]:
        dataset, best = printed["dataset"], printed["value"]
        if dataset not in findings.datasets.names:
            continue
        scores = pd.concat(
            findings.intervals[dataset, edition.name].assign(edition=edition.name)
            for edition in EDITIONS
        )
        plain = scores[scores["feature"] == PLAIN]
        random = plain[plain["protocol"] == "koh2021"]
        if random.empty:
            continue
        top = _best(random)
        same = (plain["classifier"] == top["classifier"]) & (plain["edition"] == top["edition"])
        text = f"{titles()[dataset]}: plain MFCC with {_MODELS[top['classifier']]}, without any "
        text += f"network, {'beats' if top['accuracy'] > best else 'does not beat'} the study's "
        text += f"best by random splits: {in_hundred(top['accuracy'])} of 100 clips are named "
        text += f"rightly, against {in_hundred(best)} by "
        text += _cell(printed["feature"], printed["classifier"])
        detail = f"Settings of the {top['edition']} edition; accuracy by random splits "
        detail += _interval(top)
        for kept in plain[same & (plain["protocol"] == "grouped")].to_dict("records"):
            groups = _KEPT_APART.get(dataset, "artists")
            moves = "falls to" if kept["accuracy"] < top["accuracy"] else "has"
            text += f". With {groups} kept apart it {moves} {in_hundred(kept['accuracy'])}"
            detail += f", with {groups} kept apart {_interval(kept)}"
        level = "bad" if top["accuracy"] > best else "neutral"
        yield Note(level, f"{text}.", f"{detail}; 95 % intervals.")


def _gap_news(findings: Findings) -> Iterator[Note]:
    """Say for each dataset what random splits add."""
    for dataset, gaps in find_gaps(findings).items():
        groups = _KEPT_APART.get(dataset, "artists")
        text = f"{titles()[dataset]}: random splits, which mix {groups} and are what the published "
        text += f"figures come from, score differently from splits that keep {groups} apart, in "
        text += "points of 100: "
        text += "; ".join(
            f"{100 * gap['mean']:+.0f} on average in the {gap['edition']} edition, "
            f"{100 * gap['widest']:+.0f} at most ({gap['cell']})"
            for gap in gaps
        )
        flattered = any(gap["mean"] > 0 for gap in gaps)
        yield Note("doubtful" if flattered else "neutral", f"{text}.")


def _addition_news(findings: Findings) -> Iterator[Note]:
    """Compare each addition with the best of the study's own features, groups kept apart."""
    edition = EDITIONS[-1]
    for dataset in findings.datasets.names:
        scores = findings.intervals[dataset, edition.name]
        scores = scores[scores["protocol"] == headline_protocol(scores, edition)]
        own = scores[scores["feature"].isin(FEATURES)]
        for name in ADDITIONS:
            added = scores[scores["feature"] == name]
            if added.empty:
                continue
            best = _best(added)
            text = f"{titles()[dataset]}: {name_of(name)}, which the study did not have, reaches "
            text += f"{_interval(best)} with "
            text += f"{_MODELS[best['classifier']]} in the {edition.name} edition"
            if not own.empty:
                other = _best(own)
                text += "; the best of the study's own features is "
                text += f"{_cell(other['feature'], other['classifier'])} with {_interval(other)}"
            yield Note("neutral", f"{text}.")


def _best(scores) -> dict:
    return scores.to_dict("records")[int(scores["accuracy"].argmax())]


def _cell(feature: str, classifier: str) -> str:
    return f"{name_of_feature(feature)} + {CLASSIFIER_NAMES[classifier]}"


def _interval(row) -> str:
    return with_interval(row["accuracy"], row["low"], row["high"])


def render_study(findings: Findings, claims: list[Claim]) -> str:
    """Return the page as a string."""
    sorted_claims = sort_claims(claims)
    with drawn_for_page():
        drawings = {
            "sections": [_section(findings, dataset) for dataset in findings.datasets.names],
            "maps": [
                (drawn, _figures.draw_map(drawn), table_as_html(_purity(drawn)))
                for drawn in findings.maps.values()
            ],
            "sizes": _figures.draw_sizes(findings),
        }
    return render_page(
        "koh2021.html.j2",
        package=__package__,
        charts={},
        data={},
        title="Koh and Dubnov (2021) reproduced",
        headline=make_headline(sorted_claims),
        news=find_news(findings),
        cautions=find_cautions(findings),
        claims=sorted_claims,
        findings=findings,
        titles=titles(),
        published=published(),
        editions=EDITIONS,
        counts=_counts(findings),
        table=_main_table(findings),
        feature_name=name_of_feature,
        regressions=_regressions(findings),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **drawings,
    )


def _counts(findings: Findings) -> list[dict]:
    """Return a row for each dataset: what is printed, and what is here."""
    rows = []
    for dataset in DATASETS:
        classes = [row for row in findings.class_counts if row["dataset"] == dataset]
        here = [row["here"] for row in classes]
        rows.append(
            {
                "title": titles()[dataset],
                "classes": [row["class"] for row in classes],
                "published": [row["published"] for row in classes],
                "here": None if None in here else here,
                "missing": findings.datasets.missing.get(dataset),
            }
        )
    return rows


def _main_table(findings: Findings) -> Table:
    """Return the table 'published / faithful / defensible', intervals and gaps at the end."""
    columns = ["Dataset", "Configuration", "Published"]
    columns += [edition.name.capitalize() for edition in EDITIONS]
    n_main = len(columns)
    for edition in EDITIONS:
        columns += [f"95 % interval, {edition.name}", f"Gap, {edition.name}"]
    rows = []
    for row in findings.table.to_dict("records"):
        feature = name_of_feature(row["feature"])
        if row["feature"] in findings.random_features:
            feature += " (random weights)"
        configuration = f"{feature} + {name_of(row['classifier'])}"
        if row["target"]:
            configuration += f", r² of {row['target']}"
        cells: list[tuple[str, float | str]] = [
            (text, text.lower()) for text in (titles()[row["dataset"]], configuration)
        ]
        cells.append(_number(row["published"]))
        for edition in EDITIONS:
            text, key = _number(row[edition.name])
            if row[f"{edition.name}_protocol"] == "koh2021" != edition.protocol:
                text += " (random: no groups)"
            cells.append((text, key))
        for edition in EDITIONS:
            low, high = row[f"{edition.name}_low"], row[f"{edition.name}_high"]
            cells.append((f"{low:.2f} to {high:.2f}" if low <= high else "", _key(high - low)))
            gap = row[f"{edition.name}_gap"]
            cells.append((f"{gap:+.2f}" if np.isfinite(gap) else "", _key(gap)))
        rows.append(cells)
    caption = "Accuracy, and r² where it says so: published, and found by two editions"
    if findings.table["addition"].any():
        caption += "; an addition is a feature that the study did not have"
    csv = findings.table.to_csv(index=False)
    return Table("study", caption, columns, rows, main=n_main - 1, csv=csv)


def _number(value: float) -> tuple[str, float]:
    return (f"{value:.2f}" if np.isfinite(value) else "", _key(value))


def _key(value: float) -> float:
    """Return what to sort by: empty cells below all others."""
    return value if np.isfinite(value) else -9.0


def _section(findings: Findings, dataset: str) -> dict:
    """Return the figures and tables of one dataset; the editions stay in tables of their own."""
    summaries = []
    for edition in EDITIONS:
        result = findings.results[dataset, edition.name]
        columns = ["feature", "classifier", "protocol", "n_splits", "accuracy", "accuracy_std"]
        columns += ["f1_macro", "f1_weighted", "balanced_accuracy"]
        summary = result.summary()
        columns += ["gap"] if "gap" in summary else []
        summaries.append((edition, table_as_html(summary[columns])))
    return {
        "id": dataset,
        "title": titles()[dataset],
        "bars": _figures.draw_bars(findings, dataset),
        "gaps": _figures.draw_gaps(findings, dataset),
        "best": _figures.draw_best(findings, dataset),
        "summaries": summaries,
    }


def _regressions(findings: Findings) -> list[tuple[str, str, str]]:
    """Return a table of scores for each feature and edition, equal ones once."""
    tables: dict[tuple[str, str], list[str]] = {}
    for (feature, edition), result in findings.regressions.items():
        summary = result.summary()
        intervals = findings.r2_intervals[feature, edition].rename(columns={"r2": "pooled r2"})
        keys = ["feature", "regressor", "target", "protocol"]
        table = summary[[*keys, "n_splits", "r2", "r2_std", "ccc", "rmse"]].merge(
            intervals, on=keys
        )
        html = table_as_html(table.drop(columns="feature"))
        names = tables.setdefault((feature, html), [])
        names.append(edition)
    return [
        (name_of_feature(feature), " and ".join(names), html)
        for (feature, html), names in tables.items()
    ]


def _purity(singer_map: SingerMap):
    """Return the purities of a map, a column a label."""
    table = singer_map.purity.pivot_table(index="perplexity", columns="label", values="purity")
    table.loc["by chance"] = singer_map.purity.groupby("label")["chance"].first()
    table = table.reset_index()[["perplexity", "emotion", "singer", "sex"]]
    return table.rename_axis(columns=None)


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
        AccuracyBarsDisplay.from_frame(intervals, protocol=protocol, chance=chance, ax=axes)
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
            PairedComparisonDisplay.from_frame(
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

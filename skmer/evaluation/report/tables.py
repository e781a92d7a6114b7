"""The tables of a report, as rows for the page and as csv and LaTeX for papers."""

from dataclasses import dataclass, field

import numpy as np

from skmer.evaluation.report.words import (
    COLUMN_NAMES,
    Overview,
    name_of,
    name_of_score,
    signed,
    two_digits,
    with_interval,
)
from skmer.utils.files import escape_formula


@dataclass(frozen=True)
class Table:
    """A table: texts to show, numbers to sort by, and which columns are shown at first."""

    name: str
    caption: str
    columns: list[str]
    rows: list[list[tuple[str, float | str]]]
    hidden: set[int] = field(default_factory=set)
    # The last column that a narrow screen has room for.
    main: int = 99
    csv: str = ""
    latex: str = ""


def scores_table(seen: Overview) -> Table:
    """Return one row for each configuration under the headline's protocol, best first."""
    result, headline = seen.result, seen.headline
    summary = result.summary()
    keys = [*result.configuration, "protocol"]
    table = seen.ranked.drop(columns=headline).merge(summary, on=keys, how="left", sort=False)
    pooled = seen.ranked[headline].to_numpy()
    parts = [*result.configuration]
    shown = [COLUMN_NAMES.get(part, part.capitalize()) for part in parts]
    shown += [f"{name_of_score(headline)} (95 % interval)"]
    others = [metric for metric in result.metrics[1:] if metric in table]
    gap = ["gap"] if "gap" in table else []
    extra = [f"{headline} ± over splits", *others[1:], "n_splits", "weights"]
    columns = [
        *shown,
        *(name_of_score(metric) for metric in others[:1]),
        *(COLUMN_NAMES[name] for name in gap),
        f"{name_of_score(headline)}, mean and deviation over splits",
        *(name_of_score(metric) for metric in others[1:]),
        *(COLUMN_NAMES[name] for name in extra[-2:]),
    ]
    rows = []
    for value, (_, row) in zip(pooled, table.iterrows()):
        cells: list[tuple[str, float | str]] = []
        for i, part in enumerate(parts):
            text = name_of(row[part], seen.random if i == 0 else ())
            cells.append((text, text.lower()))
        cells.append((with_interval(value, row["low"], row["high"]), float(value)))
        cells += [(two_digits(row[metric]), float(row[metric])) for metric in others[:1]]
        cells += [(signed(row[name]), float(row[name])) for name in gap]
        mean, spread = row.get(f"{headline}_split_mean", row[headline]), row[f"{headline}_std"]
        cells.append((f"{two_digits(mean)} ± {two_digits(spread)}", float(mean)))
        cells += [(two_digits(row[metric]), float(row[metric])) for metric in others[1:]]
        cells.append((str(row["n_splits"]), float(row["n_splits"])))
        weights = row["weights"] if isinstance(row["weights"], str) else ""
        cells.append((weights, weights))
        rows.append(cells)
    n_shown = len(shown) + len(others[:1]) + len(gap)
    return Table(
        "scores",
        f"{name_of_score(headline)} of each configuration, {seen.protocol}",
        columns,
        rows,
        set(range(n_shown, len(columns))),
        len(parts),
        escape_formula(table).to_csv(index=False),
        _latex(columns[:n_shown], rows, seen),
    )


def _latex(columns, rows, seen: Overview) -> str:
    import pandas as pd

    frame = pd.DataFrame(
        [[text for text, _ in row[: len(columns)]] for row in rows], columns=columns
    )
    return (
        frame.style.hide(axis="index")
        .format(escape="latex")
        .to_latex(
            hrules=True,
            caption=f"{name_of_score(seen.headline)} and 95\\,\\% intervals, {seen.protocol}.",
            column_format="l" * len(seen.result.configuration)
            + "r" * (len(columns) - len(seen.result.configuration)),
        )
    )


@dataclass(frozen=True)
class Matrix:
    """The comparison of every two configurations: names, and in each cell a text and a word."""

    names: list[str]
    cells: list[list[tuple[str, str, str]]]
    csv: str


def comparison_matrix(seen: Overview) -> Matrix | None:
    """Return who is better than whom under the headline's protocol, best first."""
    if seen.comparison is None:
        return None
    configuration = list(seen.result.configuration)
    keys = [tuple(row) for row in seen.ranked[configuration].to_numpy().tolist()]
    found = {}
    for row in seen.comparison.to_dict("records"):
        first, second = (tuple(row[f"{key}_{side}"] for key in configuration) for side in (1, 2))
        found[first, second] = row["difference"], row["pvalue_holm"]
        found[second, first] = -row["difference"], row["pvalue_holm"]
    cells = []
    for first in keys:
        line = []
        for second in keys:
            if (first, second) not in found:
                line.append(("", "same", ""))
                continue
            difference, pvalue = found[first, second]
            sure = np.isfinite(pvalue) and pvalue < 0.05
            word = ("better" if difference > 0 else "worse") if sure else "unsure"
            line.append((signed(difference), word, f"p = {pvalue:.2g} after Holm's correction"))
        cells.append(line)
    csv = escape_formula(seen.comparison).to_csv(index=False)
    return Matrix(list(seen.ranked["name"]), cells, csv)


def confusions(seen: Overview) -> dict:
    """Return, for every configuration and protocol, its confusion and the scores of its classes."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predictions = seen.result.predictions
    labels = sorted(predictions["y_true"].unique())
    found = []
    order = {name: i for i, name in enumerate(seen.ranked["name"])}
    for key, part in predictions.groupby([*seen.result.configuration, "protocol"], sort=False):
        y_true, y_pred = part["y_true"], part["y_pred"]
        scores = precision_recall_fscore_support(y_true, y_pred, labels=labels, zero_division=0)
        counts = confusion_matrix(y_true, y_pred, labels=labels)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        name = seen.name(dict(zip(seen.result.configuration, key)))
        found.append(
            {
                "name": f"{name} ({key[-1]})",
                "rank": (key[-1] != seen.protocol, order.get(name, 0)),
                "shares": np.round(shares, 3).tolist(),
                "classes": [
                    [two_digits(value) for value in column] for column in np.array(scores[:3]).T
                ],
            }
        )
    found.sort(key=lambda one: one.pop("rank"))
    return {"labels": [str(label) for label in labels], "configurations": found}

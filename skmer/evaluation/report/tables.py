"""The tables of a report, as rows for the page and as csv and LaTeX for papers."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from skmer.evaluation.report import words
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.words import name_of, name_of_score, two_digits
from skmer.evaluation.statistics.tags import matrices_of, names_of
from skmer.utils.files import escape_formula

# The title of a column, the text of a cell, and the key that it is sorted by.
Cell = tuple[str, str, float | str]


class Table(NamedTuple):
    """A table of texts to show and keys to sort by.

    `main` is the last column that a narrow screen has room for; columns from `n_shown` on are
    hidden until the reader asks for them.
    """

    name: str
    caption: str
    columns: list[str]
    rows: list[list[tuple[str, float | str]]]
    n_shown: int = 99
    main: int = 99
    csv: str = ""
    latex: str = ""


def make_table(name: str, caption: str, rows: list[list[Cell]], **options) -> Table:
    texts = [[(text, key) for _, text, key in row] for row in rows]
    return Table(name, caption, [title for title, _, _ in rows[0]], texts, **options)


def text_cell(title: str, text: str) -> Cell:
    return title, text, text.lower()


def number_cell(title: str, value, write=two_digits) -> Cell:
    # One that is missing is sorted behind the others.
    return title, write(value), float(np.nan_to_num(value, nan=-9))


def _interval(title: str, numbers, n_digits: int = 2) -> Cell:
    text = words.with_interval(numbers[0], numbers[1], numbers[2], n_digits)
    return number_cell(title, numbers[0], lambda value: text if value == value else "no score")


def scores_table(seen: Overview) -> Table:
    """Return one row for each configuration under the headline's protocol, best first."""
    result, headline, keys = seen.result, seen.headline, list(seen.result.configuration)
    score, n_digits = name_of_score(headline), result.task.n_digits
    table = seen.ranked.drop(columns=headline).merge(
        result.summary(), on=[*keys, "protocol"], how="left", sort=False
    )
    metrics = [metric for metric in result.metrics[1:] if metric in table]
    rows = []
    for value, row in zip(seen.ranked[headline], table.to_dict("records")):
        names = [name_of(row["feature"], seen.random), *(name_of(row[key]) for key in keys[1:])]
        cells = [text_cell(key.capitalize(), name) for key, name in zip(keys, names)]
        title = f"{score} (95 % interval)"
        cells.append(_interval(title, (value, row["low"], row["high"]), n_digits))
        for pair, *protocols in seen.ways:
            titles = f"From {' to '.join(pair)}", f"Within {pair[0]}"
            for title, protocol in zip(titles, protocols):
                if protocol != seen.protocol:
                    other = seen.row_of(row, protocol)
                    numbers = [other[name] for name in (headline, "low", "high")]
                    cells.append(_interval(title, numbers, n_digits))
        # The second score stands beside the headline, the others are hidden at first.
        further = [number_cell(name_of_score(metric), row[metric]) for metric in metrics]
        cells += further[:1]
        cells += [number_cell("Gap", row["gap"], words.signed)] if "gap" in row else []
        n_shown = len(cells)
        mean, spread = row.get(f"{headline}_split_mean", row[headline]), row[f"{headline}_std"]
        text = f"{two_digits(mean)} ± {two_digits(spread)}"
        cells.append((f"{score}, mean and deviation over splits", text, float(mean)))
        cells += [*further[1:], number_cell("Splits", row["n_splits"], str)]
        weights = row["weights"] if isinstance(row["weights"], str) else ""
        rows.append([*cells, ("Weights", weights, weights)])
    return make_table(
        "scores",
        f"{score} of each configuration, {seen.protocol}",
        rows,
        n_shown=n_shown,
        main=len(keys),
        csv=table_csv(table),
        latex=_latex([row[:n_shown] for row in rows], seen),
    )


def table_csv(frame) -> str:
    """Write a data frame as csv that no spreadsheet takes for formulas."""
    return escape_formula(frame).to_csv(index=False)


_LATEX = str.maketrans(
    {letter: f"\\{letter}" for letter in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    # At the start of a row they would be arguments of the end of the row before.
    | {"[": "{[}", "*": "{*}"}
)


def _latex(rows: list[list[Cell]], seen: Overview) -> str:
    texts = [[text.translate(_LATEX) for _, text, _ in row] for row in rows]
    columns = [title.translate(_LATEX) for title, _, _ in rows[0]]
    frame = pd.DataFrame(texts, columns=columns)
    score = name_of_score(seen.headline).translate(_LATEX)
    caption = f"{score} and 95\\,\\% intervals, {seen.protocol.translate(_LATEX)}."
    n_names = len(seen.result.configuration)
    return frame.style.hide(axis="index").to_latex(
        hrules=True,
        caption=caption,
        column_format="l" * n_names + "r" * (len(columns) - n_names),
    )


class Matrix(NamedTuple):
    """The comparison of every two configurations: names, and in each cell a text and a word."""

    target: str | None
    names: list[str]
    cells: list[list[tuple[str, str, str]]]
    n_pairs: int


def comparison_matrices(seen: Overview) -> list[Matrix]:
    """Return which configuration is better under the headline's protocol, one table a target."""
    if seen.comparison is None:
        return []
    has_target = "target" in seen.comparison
    keys = [key for key in seen.result.configuration if key != "target"]
    matrices = []
    for target in seen.comparison["target"].unique() if has_target else [None]:
        table, ranked = seen.comparison, seen.ranked
        if has_target:
            table, ranked = (one[one["target"] == target] for one in (table, ranked))
        found = {}
        for row in table.to_dict("records"):
            first, second = (tuple(row[f"{key}_{side}"] for key in keys) for side in (1, 2))
            found[first, second] = _compared(row["difference"], row["pvalue_holm"])
            found[second, first] = _compared(-row["difference"], row["pvalue_holm"])
        order = list(ranked[keys].itertuples(index=False, name=None))
        cells = [[found.get((one, other), ("", "same", "")) for other in order] for one in order]
        matrices.append(Matrix(target, list(ranked["name"]), cells, len(table)))
    return matrices


def pairs_table(seen: Overview, what: str) -> Table | None:
    """Return the comparisons of features, or of models, as rows; None for a single one."""
    comparison = seen.features if what == "feature" else seen.models
    if not len(comparison):
        return None
    title, unit = f"{name_of_score(seen.headline)} (95 % interval)", f"{seen.unit.capitalize()}s"
    rows = []
    for row in comparison.to_dict("records"):
        # The better one stands first.
        is_turned = row["difference"] < 0
        sides, numbers = (2, 1) if is_turned else (1, 2), words.turn(row, is_turned)
        names = [name_of(row[f"{what}_{side}"], seen.random) for side in sides]
        cells = [text_cell("Target", row["target"])] if "target" in row else []
        cells += map(text_cell, ("Better", "Worse"), names)
        cells += [_interval(title, numbers), number_cell(unit, row["n_groups"], str)]
        for name, key in (("p", "pvalue"), ("p, corrected", "pvalue_holm")):
            cells.append(number_cell(name, row[key], "{:.2g}".format))
        rows.append(cells)
    return make_table(
        f"{what}s",
        f"{what.capitalize()}s over all {'models' if what == 'feature' else 'features'}, "
        f"{seen.protocol}",
        rows,
        main=3 if "target" in comparison else 2,
        csv=table_csv(comparison),
    )


def _compared(difference: float, pvalue: float) -> tuple[str, str, str]:
    """Return the text, the word for its color, and the details of one comparison."""
    word = ("better" if difference > 0 else "worse") if pvalue < 0.05 else "unsure"
    return words.signed(difference), word, f"p = {pvalue:.2g} after Holm's correction"


def confusions(seen: Overview) -> dict:
    """Return, for every configuration and protocol, its confusion and the scores of its classes."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predictions = seen.result.predictions
    labels = sorted(predictions["y_true"].unique())
    places = {name: i for i, name in enumerate(seen.ranked["name"])}
    order = seen.intervals.to_dict("records")
    order.sort(key=lambda one: (one["protocol"] != seen.protocol, places.get(one["name"], 0)))
    found = []
    for one in order:
        rows = seen.rows_of(one, predictions[predictions["protocol"] == one["protocol"]])
        answers = rows["y_true"], rows["y_pred"]
        *scores, _ = precision_recall_fscore_support(*answers, labels=labels, zero_division=0)
        shares = confusion_matrix(*answers, labels=labels, normalize="true")
        described = {
            "name": f"{one['name']} ({one['protocol']})",
            "shares": np.round(shares, 3).tolist(),
            "classes": [[two_digits(value) for value in column] for column in zip(*scores)],
        }
        found.append(described)
    return {"labels": [str(label) for label in labels], "configurations": found}


# Tags of a table of co-occurrence, and clips with a wrong tag.
N_TOGETHER = 14
N_WRONG = 12


def tags_part(seen: Overview) -> dict:
    """Return what the page shows of the tags, of the best configuration."""
    best = seen.best[None]
    keys = {key: best[key] for key in seen.result.configuration}
    scores = seen.result.tag_scores(**keys, protocol=seen.protocol)  # type: ignore[attr-defined]
    rows = seen.rows_of(best)
    truth, called, proba = matrices_of(rows)
    most = np.argsort(-truth.sum(axis=0), kind="stable")[:N_TOGETHER]
    names = names_of(rows)
    return {
        "table": _tags_table(scores),
        # Of the clips with a row's tag, the share with a column's.
        "together": [names[tag] for tag in most],
        "shares": {
            "Tags that the clips have": _shares(truth[:, most]),
            "Tags that were predicted": _shares(called[:, most]),
        },
        "is_cut": most.size < len(names),
        "wrong": [
            seen.clips[clip["row"]] | clip
            for clip in _wrong(rows, truth, proba, names).to_dict("records")
        ],
    }


def _tags_table(scores) -> Table:
    title, rows = "Average precision (95 % interval)", []
    for tag in scores.to_dict("records"):
        numbers = [tag[name] for name in ("average_precision", "low", "high")]
        cells = [text_cell("Tag", tag["tag"]), _interval(title, numbers, 3)]
        for name, key in (("Guessing", "share"), ("ROC-AUC", "roc_auc"), ("F1", "f1")):
            cells.append(number_cell(name, tag[key], lambda value: two_digits(value, 3)))
        rows.append([*cells, number_cell("Clips", tag["n_clips"], str)])
    caption = "Scores of each tag; of guessing, the average precision is the share of the tag"
    return make_table("tags", caption, rows, main=2, csv=table_csv(scores))


def _shares(matrix: np.ndarray) -> list[list[float]]:
    """Return the share of the clips with the tag of a row that have the tag of a column too."""
    together = matrix.T.astype(float) @ matrix
    return (together / np.maximum(np.diag(together), 1)[:, None]).round(3).tolist()


def _wrong(rows, truth, proba, names):
    """Return the clips with the most probable tag that they do not have."""
    wrong = np.where(truth, -1.0, proba)
    rows = rows.assign(proba=wrong.max(axis=1), tag=np.array(names)[wrong.argmax(axis=1)])
    rows = rows[rows["proba"] >= 0].sort_values("proba", ascending=False, kind="stable")
    return rows.drop_duplicates("row").head(N_WRONG)[["row", "y_true", "tag", "proba"]]

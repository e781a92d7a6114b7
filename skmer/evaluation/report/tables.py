"""The tables of a report, as rows for the page and as csv and LaTeX for papers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skmer.evaluation.report import words
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.words import name_of, name_of_score, two_digits
from skmer.evaluation.statistics.tags import matrices_of, names_of
from skmer.utils.files import escape_formula


@dataclass(frozen=True)
class Table:
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


def scores_table(seen: Overview) -> Table:
    """Return one row for each configuration under the headline's protocol, best first."""
    result, headline = seen.result, seen.headline
    keys = [*result.configuration, "protocol"]
    pooled = seen.ranked[headline].to_numpy()
    table = seen.ranked.drop(columns=headline).merge(
        result.summary(), on=keys, how="left", sort=False
    )
    score = name_of_score(headline)
    # The second score stands beside the headline, the others are hidden at first.
    beside, *others = [[metric] for metric in result.metrics[1:] if metric in table] or [[]]
    gap = ["gap"] if "gap" in table else []
    others_beside = [
        (f"{'Within ' + pair[0] if is_within else 'From ' + ' to '.join(pair)}", protocol)
        for pair, across, within in seen.ways
        for is_within, protocol in ((False, across), (True, within))
        if protocol != seen.protocol
    ]
    columns = [key.capitalize() for key in result.configuration]
    columns.append(f"{score} (95 % interval)")
    columns += [name for name, _ in others_beside]
    columns += [*map(name_of_score, beside), *(["Gap"] if gap else [])]
    n_shown = len(columns)
    columns += [f"{score}, mean and deviation over splits"]
    columns += [name_of_score(metric) for (metric,) in others]
    columns += ["Splits", "Weights"]
    rows = []
    for value, row in zip(pooled, table.to_dict("records")):
        names = [name_of(row[key]) for key in result.configuration]
        names[0] = name_of(row["feature"], seen.random)
        cells: list[tuple[str, float | str]] = [(name, name.lower()) for name in names]
        interval = words.with_interval(value, row["low"], row["high"], result.task.n_digits)
        cells.append((interval, float(value)))
        for _, protocol in others_beside:
            other = seen.row_of(row, protocol)
            numbers = other[headline], other["low"], other["high"]
            cells.append((words.with_interval(*numbers, result.task.n_digits), float(numbers[0])))
        cells += [_number(row[metric]) for metric in beside]
        cells += [(words.signed(row[name]), float(row[name])) for name in gap]
        mean, spread = row.get(f"{headline}_split_mean", row[headline]), row[f"{headline}_std"]
        cells.append((f"{two_digits(mean)} ± {two_digits(spread)}", float(mean)))
        cells += [_number(row[metric]) for (metric,) in others]
        cells.append((str(row["n_splits"]), float(row["n_splits"])))
        weights = row["weights"] if isinstance(row["weights"], str) else ""
        rows.append([*cells, (weights, weights)])
    return Table(
        "scores",
        f"{score} of each configuration, {seen.protocol}",
        columns,
        rows,
        n_shown,
        len(result.configuration),
        table_csv(table),
        _latex(columns[:n_shown], rows, seen),
    )


def table_csv(frame) -> str:
    """Write a data frame as csv that no spreadsheet takes for formulas."""
    return escape_formula(frame).to_csv(index=False)


def _number(value) -> tuple[str, float]:
    return two_digits(value), float(value)


_LATEX = str.maketrans(
    {letter: f"\\{letter}" for letter in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    # At the start of a row they would be arguments of the end of the row before.
    | {"[": "{[}", "*": "{*}"}
)


def _latex(columns, rows, seen: Overview) -> str:
    texts = [[text.translate(_LATEX) for text, _ in row[: len(columns)]] for row in rows]
    frame = pd.DataFrame(texts, columns=[column.translate(_LATEX) for column in columns])
    score = name_of_score(seen.headline).translate(_LATEX)
    caption = f"{score} and 95\\,\\% intervals, {seen.protocol.translate(_LATEX)}."
    n_names = len(seen.result.configuration)
    return frame.style.hide(axis="index").to_latex(
        hrules=True,
        caption=caption,
        column_format="l" * n_names + "r" * (len(columns) - n_names),
    )


@dataclass(frozen=True)
class Matrix:
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
            found[first, second] = row["difference"], row["pvalue_holm"]
            found[second, first] = -row["difference"], row["pvalue_holm"]
        order = list(ranked[keys].itertuples(index=False, name=None))
        cells = [[_compared(found.get((one, other))) for other in order] for one in order]
        matrices.append(Matrix(target, list(ranked["name"]), cells, len(table)))
    return matrices


def pairs_table(seen: Overview, what: str) -> Table | None:
    """Return the comparisons of features, or of models, as rows; None for a single one."""
    comparison = seen.features if what == "feature" else seen.models
    if not len(comparison):
        return None
    targets = ["target"] if "target" in comparison else []
    columns = [
        *map(str.capitalize, targets), "Better", "Worse",
        f"{name_of_score(seen.headline)} (95 % interval)", f"{seen.unit.capitalize()}s", "p",
        "p, corrected",
    ]  # fmt: skip
    rows = []
    for row in comparison.to_dict("records"):
        names = [row[f"{what}_1"], row[f"{what}_2"]]
        numbers = row["difference"], row["low"], row["high"]
        if row["difference"] < 0:
            names.reverse()
            numbers = tuple(-row[key] for key in ("difference", "high", "low"))
        texts = [*(row[name] for name in targets), *(name_of(name, seen.random) for name in names)]
        cells: list[tuple[str, float | str]] = [(text, text.lower()) for text in texts]
        cells.append((words.with_interval(*numbers), numbers[0]))
        cells.append((str(row["n_groups"]), float(row["n_groups"])))
        cells += [(f"{row[key]:.2g}", row[key]) for key in ("pvalue", "pvalue_holm")]
        rows.append(cells)
    return Table(
        f"{what}s",
        f"{what.capitalize()}s over all {'models' if what == 'feature' else 'features'}, "
        f"{seen.protocol}",
        columns,
        rows,
        main=len(targets) + 2,
        csv=table_csv(comparison),
    )


def _compared(found: tuple[float, float] | None) -> tuple[str, str, str]:
    """Return the text, the word for its color, and the details of one comparison."""
    if found is None:
        return "", "same", ""
    difference, pvalue = found
    word = ("better" if difference > 0 else "worse") if pvalue < 0.05 else "unsure"
    return words.signed(difference), word, f"p = {pvalue:.2g} after Holm's correction"


def confusions(seen: Overview) -> dict:
    """Return, for every configuration and protocol, its confusion and the scores of its classes."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predictions = seen.result.predictions
    labels = sorted(predictions["y_true"].unique())
    order = {name: i for i, name in enumerate(seen.ranked["name"])}
    found = []
    for key, rows in predictions.groupby([*seen.result.configuration, "protocol"], sort=False):
        answers = rows["y_true"], rows["y_pred"]
        scores = precision_recall_fscore_support(*answers, labels=labels, zero_division=0)
        counts = confusion_matrix(*answers, labels=labels)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        name, protocol = seen.name(dict(zip(seen.result.configuration, key))), key[-1]
        described = {
            "name": f"{name} ({protocol})",
            "shares": np.round(shares, 3).tolist(),
            "classes": [[two_digits(value) for value in column] for column in zip(*scores[:3])],
        }
        found.append(((protocol != seen.protocol, order.get(name, 0)), described))
    found.sort(key=lambda one: one[0])
    configurations = [described for _, described in found]
    return {"labels": [str(label) for label in labels], "configurations": configurations}


# Tags of a table of co-occurrence, and clips with a wrong tag.
N_TOGETHER = 14
N_WRONG = 12


def tags_part(seen: Overview) -> dict:
    """Return what the page shows of the tags, of the best configuration."""
    best = seen.ranked.iloc[0]
    keys = {key: best[key] for key in seen.result.configuration}
    scores = seen.result.tag_scores(**keys, protocol=seen.protocol)  # type: ignore[attr-defined]
    rows = seen.rows_of(best)
    truth, called, proba = matrices_of(rows)
    most = np.argsort(-truth.sum(axis=0), kind="stable")[:N_TOGETHER]
    names = names_of(rows)
    return {
        "name": best["name"],
        "table": _tags_table(scores),
        # Of the clips with a row's tag, the share with a column's.
        "together": [names[tag] for tag in most],
        "shares": {
            "Tags that the clips have": _shares(truth[:, most]),
            "Tags that were predicted": _shares(called[:, most]),
        },
        "is_cut": most.size < len(names),
        "wrong": _wrong(rows, truth, proba, names, seen.clips),
    }


def _tags_table(scores) -> Table:
    columns = ["Tag", "Average precision (95 % interval)", "Guessing", "ROC-AUC", "F1", "Clips"]
    rows: list[list[tuple[str, float | str]]] = []
    for tag in scores.to_dict("records"):
        score = tag["average_precision"]
        interval = words.with_interval(score, tag["low"], tag["high"], 3)
        cells: list[tuple[str, float | str]] = [(tag["tag"], tag["tag"].lower())]
        # One without a score is sorted behind the others.
        cells.append((interval if score == score else "no score", np.nan_to_num(score, nan=-1)))
        cells += [
            (two_digits(tag[name], 3), np.nan_to_num(tag[name], nan=-1))
            for name in ("share", "roc_auc", "f1")
        ]
        rows.append([*cells, (str(tag["n_clips"]), tag["n_clips"])])
    caption = "Scores of each tag; of guessing, the average precision is the share of the tag"
    return Table("tags", caption, columns, rows, len(columns), 2, table_csv(scores))


def _shares(matrix: np.ndarray) -> list[list[float]]:
    """Return the share of the clips with the tag of a row that have the tag of a column too."""
    together = matrix.T.astype(float) @ matrix
    return (together / np.maximum(np.diag(together), 1)[:, None]).round(3).tolist()


def _wrong(rows, truth, proba, names, clips) -> list[dict]:
    """Return the clips with the most probable tag that they do not have."""
    wrong = np.where(truth, -1.0, proba)
    rows = rows.assign(proba=wrong.max(axis=1), tag=np.array(names)[wrong.argmax(axis=1)])
    order = np.argsort(-rows["proba"].to_numpy(), kind="stable")
    found = rows.iloc[order].drop_duplicates("row").head(N_WRONG)
    return [
        clips[clip["row"]]
        | {
            "group": str(clip.get("group", "")),
            "tags": clip["y_true"].replace(";", ", ") or "no tag",
            "tag": clip["tag"],
            "proba": clip["proba"],
        }
        for clip in found[found["proba"] >= 0].to_dict("records")
    ]

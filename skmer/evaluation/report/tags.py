"""What a report shows of tags: their scores, which go together, and the surest wrong ones."""

from dataclasses import dataclass

import numpy as np

from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.tables import Table
from skmer.evaluation.report.words import two_digits, with_interval
from skmer.evaluation.statistics.tags import matrices_of, names_of
from skmer.utils.files import escape_formula

# Tags of a table of co-occurrence, and clips with a wrong tag.
N_TOGETHER = 14
N_WRONG = 12


@dataclass(frozen=True)
class TagsPart:
    """The part of the page on tags, of the best configuration."""

    name: str
    table: Table
    # Names, and for the true and the predicted tags the share of a row's clips with a column's tag.
    together: list[str]
    shares: dict[str, list[list[float]]]
    is_cut: bool
    wrong: list[dict]


def tags_part(seen: Overview, clips: dict[int, dict[str, str]]) -> TagsPart:
    """Return what the page shows of the tags; `clips` has name and address of each row."""
    best = seen.ranked.iloc[0]
    keys = {key: best[key] for key in seen.result.configuration}
    scores = seen.result.tag_scores(**keys, protocol=seen.protocol)  # type: ignore[attr-defined]
    rows = seen.predictions
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    truth, called, proba = matrices_of(rows)
    most = np.argsort(-truth.sum(axis=0), kind="stable")[:N_TOGETHER]
    names = names_of(rows)
    return TagsPart(
        str(best["name"]),
        _table(scores),
        [names[tag] for tag in most],
        {
            "Tags that the clips have": _shares(truth[:, most]),
            "Tags that were predicted": _shares(called[:, most]),
        },
        most.size < len(names),
        _wrong(rows, truth, proba, names, clips),
    )


def _table(scores) -> Table:
    columns = ["Tag", "Average precision (95 % interval)", "Guessing", "ROC-AUC", "F1", "Clips"]
    rows: list[list[tuple[str, float | str]]] = []
    for tag in scores.to_dict("records"):
        score = tag["average_precision"]
        interval = with_interval(score, tag["low"], tag["high"], 3)
        cells: list[tuple[str, float | str]] = [(tag["tag"], tag["tag"].lower())]
        # One without a score is sorted behind the others.
        cells.append((interval if score == score else "no score", np.nan_to_num(score, nan=-1)))
        cells += [
            (two_digits(tag[name], 3), np.nan_to_num(tag[name], nan=-1))
            for name in ("share", "roc_auc", "f1")
        ]
        rows.append([*cells, (str(tag["n_clips"]), tag["n_clips"])])
    csv = escape_formula(scores).to_csv(index=False)
    caption = "Scores of each tag; of guessing, the average precision is the share of the tag"
    return Table("tags", caption, columns, rows, len(columns), 2, csv)


def _shares(matrix: np.ndarray) -> list[list[float]]:
    """Return the share of the clips with the tag of a row that have the tag of a column too."""
    together = matrix.T.astype(float) @ matrix
    return (together / np.maximum(np.diag(together), 1)[:, None]).round(3).tolist()


def _wrong(rows, truth, proba, names, clips) -> list[dict]:
    """Return the clips with the most probable tag that they do not have."""
    wrong = np.where(truth, -1.0, proba)
    order = np.argsort(-wrong.max(axis=1), kind="stable")
    numbers, labels = rows["row"].to_numpy(), rows["y_true"].to_numpy()
    groups = rows["group"].to_numpy() if "group" in rows else None
    found: dict[int, dict] = {}
    for place in order:
        row = int(numbers[place])
        if len(found) == N_WRONG or wrong[place].max() < 0:
            break
        found.setdefault(
            row,
            clips[row]
            | {
                "group": "" if groups is None else str(groups[place]),
                "tags": labels[place].replace(";", ", ") or "no tag",
                "tag": names[wrong[place].argmax()],
                "proba": float(wrong[place].max()),
            },
        )
    return list(found.values())

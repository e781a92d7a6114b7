"""The headline of a report, notes on how far it can be trusted, and the methods of a paper."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from skmer.embeddings.registry import known_features
from skmer.evaluation.displays.classes import most_probable
from skmer.evaluation.displays.style import name_of
from skmer.evaluation.statistics import bootstrap, paired, tags
from skmer.evaluation.statistics.scores import REGRESSION_METRICS
from skmer.utils import messages

if TYPE_CHECKING:
    from skmer.evaluation.report.overview import Overview

SCORE_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1_macro": "F1, mean over classes",
    "f1_weighted": "F1, weighted by class size",
    "average_precision": "Average precision, mean over tags",
    "roc_auc": "ROC-AUC, mean over tags",
    "f1": "F1, mean over tags",
    "lrap": "Label ranking average precision",
    "r2": "r²",
    "ccc": "Concordance",
    "rmse": "Error (RMSE)",
    "pearson": "Pearson's correlation",
    "spearman": "Spearman's correlation",
}
SCORE_NAMES |= {f"{one}_song": f"{SCORE_NAMES[one]} within a song" for one in REGRESSION_METRICS}


def name_of_score(score: str) -> str:
    """Return the name of a score for people."""
    return SCORE_NAMES.get(score, score.replace("_", " "))


def in_sentence(score: str) -> str:
    """Return the name of a score inside a sentence."""
    name = name_of_score(score)
    return name if name[:2].isupper() or name[1:2].isdigit() else name[0].lower() + name[1:]


def two_digits(value: float, n_digits: int = 2) -> str:
    """Write a score with two digits, or some more, and without a minus zero."""
    return "-" if value != value else f"{round(value, n_digits) + 0.0:.{n_digits}f}"


def with_interval(value: float, low: float, high: float, n_digits: int = 2) -> str:
    """Write a score with its interval, where it has one."""
    first, *ends = (two_digits(one, n_digits) for one in (value, low, high))
    return first + (f" ({ends[0]} to {ends[1]})" if low == low else "")


def time_of_stages(seconds) -> str:
    """Write how long each stage took; earlier results have one number for all."""
    if not isinstance(seconds, dict):
        return f"{seconds:.1f} s"
    return ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items())


def signed(value: float) -> str:
    """Write a difference; there is no minus zero."""
    return f"{round(value, 2) + 0.0:+.2f}"


def in_hundred(value: float) -> str:
    """Write a share as a count of a hundred."""
    return f"{100 * value:.0f}"


class Note(NamedTuple):
    """Something that bears on trust: "bad", "doubtful", "good" or "neutral", and in words."""

    level: str
    text: str
    detail: str = ""


# What stands first where the artists of the clips are not known.
_UNKNOWN = (
    "The artists are not known, so the same artist may be in training and test, and every score "
    "may be too high for new artists."
)


def make_headline(seen: Overview) -> str:
    """Return in one sentence what the best configuration does, compared with guessing."""
    text = fill_template(
        "headline.txt.j2",
        seen=seen,
        unknown=_UNKNOWN,
        phrase=partial(_phrase, seen),
        better_feature=partial(_better_feature, seen),
        baseline=_baseline(seen),
    )
    return join_lines(text)


def _phrase(seen: Overview, words: dict[str, str], row, whose: str = "") -> str:
    """Fill in the words that a task has for a score; they are explained at `Task`."""
    value, low, high = (row.get(name, float("nan")) for name in (seen.headline, "low", "high"))
    between = f" ({in_hundred(low)} to {in_hundred(high)})" if low == low else ""
    return words.get(seen.headline, words[""]).format(
        value=with_interval(value, low, high, seen.result.task.n_digits),
        hundred=in_hundred(max(0.0, value)),
        between=between,
        whose=whose,
    )


def _baseline(seen: Overview) -> tuple[str, str] | None:
    """Return the best baseline and its score, where the best configuration is none."""
    plain = [one.name for one in known_features() if one.is_baseline]
    rows = seen.ranked[seen.ranked["feature"].isin(plain)]
    if rows.empty or seen.ranked["feature"].iloc[0] in plain:
        return None
    write = in_hundred if seen.headline == "accuracy" else two_digits
    return rows["name"].iloc[0], write(rows[seen.headline].iloc[0])


def _better_feature(seen: Overview, target: str | None) -> dict:
    """Return by how much the best feature is above the baseline, or else above the next one."""
    table, ranked = seen.features, seen.ranked
    if target is not None and len(table):
        table, ranked = (one[one["target"] == target] for one in (table, ranked))
    if not len(table):
        return {}
    order = ranked.groupby("feature")[seen.headline].mean().sort_values(ascending=False).index
    plain = [one.name for one in known_features() if one.is_baseline and one.name != order[0]]
    other = next((name for name in order[1:] if name in plain), order[1])
    row = table[table[["feature_1", "feature_2"]].isin([order[0], other]).all(axis=1)].iloc[0]
    return {
        "best": name_of(order[0], seen.random),
        "worse": name_of(other, seen.random),
        "gap": with_interval(*turn(row, row["feature_1"] != order[0])),
        "is_equal": two_digits(abs(row["difference"])) == "0.00",
        "score": in_sentence(seen.headline),
        "models": [name_of(one) for one in ranked[seen.result.task.model_kind].unique()],
        "row": row,
        "n_pairs": len(table),
    }


def turn(row, is_turned: bool) -> tuple[float, float, float]:
    """Return the difference of a comparison and its interval, or those of the second and first."""
    if is_turned:
        return -row["difference"], -row["high"], -row["low"]
    return row["difference"], row["low"], row["high"]


def trust_notes(seen: Overview) -> list[Note]:
    """Return what speaks for and against the headline; what is worst comes first."""
    notes = collect_notes(
        "notes.txt.j2",
        seen=seen,
        manifest=seen.result.manifest,
        unknown=_UNKNOWN,
        calibration=_calibration(seen),
        findings=_findings(seen),
    )
    order = ("bad", "doubtful", "neutral", "good")
    notes = list(dict.fromkeys([*notes, *gap_notes(seen)]))
    return sorted(notes, key=lambda note: (note.text != _UNKNOWN, order.index(note.level)))


def gap_notes(seen: Overview) -> list[Note]:
    """Return what is owed to knowing the artists, where that can be compared."""
    return collect_notes("gap.txt.j2", seen=seen, signed=signed, two_digits=two_digits)


def _calibration(seen: Overview) -> dict:
    """Return whether the probabilities of the best configuration are calibrated, if it has any."""
    if "confusions" not in seen.result.task.charts:
        return {}
    predictions = seen.rows_of(seen.best[None])
    is_right, largest, rows = most_probable(predictions)
    groups = predictions["row" if seen.unit == "clip" else "group"].to_numpy()[rows]
    if len(set(groups)) < 2:
        return {}
    gap = bootstrap.cluster_bootstrap(
        lambda right, stated: (right - stated).mean(),
        is_right.astype(float),
        largest,
        groups=groups,
        random_state=0,
    )
    return {
        "stated": in_hundred(largest.mean()),
        "right": in_hundred(is_right.mean()),
        "is_calibrated": gap.low <= 0 <= gap.high,
        "is_high": gap.estimate < 0,
    }


def _findings(seen: Overview) -> list[dict]:
    """Return what the audits found, without what a protocol that mixes groups does on purpose."""
    protocols, found = seen.result.manifest["protocols"], []
    for name, audit in (seen.result.manifest["audit"] or {}).items():
        is_mixed = name in protocols and not protocols[name]["groups_kept_apart"]
        # Another note has these.
        expected = ("shared_groups", "identity_probe") if is_mixed else ()
        for finding in audit["findings"]:
            level = {"error": "bad", "warning": "doubtful"}.get(finding["severity"], "neutral")
            if finding["kind"] not in expected:
                found.append({"audit": name, "level": level, "message": finding["message"]})
    return found


def methods_paragraph(seen: Overview) -> str:
    """Describe the evaluation as a methods section would."""
    manifest = seen.result.manifest
    features, models = (
        ", ".join(name_of(name, seen.random) for name in dict.fromkeys(seen.intervals[key]))
        for key in seen.result.configuration[:2]
    )
    text = fill_template(
        "methods.txt.j2",
        seen=seen,
        manifest=manifest,
        features=features,
        models=models,
        score=in_sentence(seen.headline),
        searches=_searches(manifest["models"]),
        exchanges=_exchanges(seen),
    )
    return join_lines(text)


def _searches(models: dict[str, dict]) -> str:
    """Return the grids that were searched, as the manifest has them."""
    grids = []
    for name, model in models.items():
        for key, grid in model["parameters"].items():
            if key.rpartition("__")[-1] in ("param_grid", "param_distributions"):
                # The steps of a pipeline mean nothing to a reader.
                values = re.sub(r"'(?:\w+__)?(\w+)': ", r"\1 in ", str(grid)).strip("{}")
                grids.append(f"{name_of(name)} ({values})")
    return f"Searched were {'; '.join(grids)}." if grids else ""


def _exchanges(seen: Overview) -> str:
    """Return how many exchanges of groups features and models were compared by, if they were."""
    counts = [table["n_groups"].iloc[0] for table in (seen.features, seen.models) if len(table)]
    if not counts or counts[0] < 2:
        return ""
    exact, how = counts[0] <= paired.N_EXACT_GROUPS, f"{paired.N_EXCHANGES:,} random"
    if "tags" in seen.result.task.charts:
        exact = 2 ** int(counts[0]) <= tags.FEWEST_EXCHANGES
        how = f"at most {tags.N_EXCHANGES:,}"
    return f"all 2^{counts[0]}" if exact else how


def bibliography(seen: Overview) -> str:
    """Return BibTeX entries for what was used."""
    known = {one.name: one.bibtex for one in known_features()}
    used = [known.get(name) for name in dict.fromkeys(seen.intervals["feature"])]
    return fill_template(
        "references.bib.j2",
        version=seen.result.manifest["versions"].get("skmer", ""),
        entries=[entry for entry in used if entry],
        has_tests=seen.comparison is not None and not seen.result.is_pooled,
    ).strip()


@cache
def environment(package: str = __package__):
    """Return what fills the templates of a package and of this one, with every text escaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(one, "templates") for one in (package, __package__)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"score_name": name_of_score, "part_name": name_of}
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "default": str}
    return environment


def join_lines(text: str) -> str:
    """Return the lines of a sentence as one."""
    return re.sub(r"\s*\n\s*", " ", str(text)).strip()


def fill_template(template: str, *, package: str = __package__, **context) -> str:
    """Fill a template of a package, which may extend one of this package."""
    return environment(package).get_template(template).render(context)


def collect_notes(template: str, **context) -> list[Note]:
    """Return the notes of a template, which calls `note` with the level and the detail of each."""
    notes = []

    def note(level: str, detail: str = "", *, caller) -> str:
        notes.append(Note(level, join_lines(caller()), str(detail)))
        return ""

    fill_template(template, note=note, messages=messages, **context)
    return notes

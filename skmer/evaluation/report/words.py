"""The sentence that a supervisor reads, and whether it can be trusted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from skmer.embeddings.registry import known_features, label_of
from skmer.evaluation.displays.style import CLASSIFIER_NAMES

if TYPE_CHECKING:
    from skmer.evaluation.result import EvaluationResult

SCORE_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1_macro": "F1, mean over classes",
    "f1_weighted": "F1, weighted by class size",
    "r2": "r²",
    "ccc": "Concordance",
    "rmse": "Error (RMSE)",
    "r2_song": "r² within a song",
    "ccc_song": "Concordance within a song",
    "rmse_song": "Error within a song (RMSE)",
}
COLUMN_NAMES = {
    "feature": "Feature",
    "classifier": "Classifier",
    "regressor": "Regressor",
    "target": "Target",
    "protocol": "Protocol",
    "gap": "Gap",
    "n_splits": "Splits",
    "weights": "Weights",
}
_PART_NAMES = {**CLASSIFIER_NAMES, "svr": "SVR", "ridge": "Ridge"}


def name_of(part: str, random: Iterable[str] = ()) -> str:
    """Return the name of a feature or model for people, and say where its network is random."""
    return (_PART_NAMES.get(part) or label_of(part)) + (
        " (random weights)" if part in random else ""
    )


def name_of_score(score: str) -> str:
    """Return the name of a score for people."""
    return SCORE_NAMES.get(score, score.replace("_", " "))


def two_digits(value: float) -> str:
    """Write a score; more digits than two mean nothing here."""
    return "-" if value != value else f"{value:.2f}"


def with_interval(value: float, low: float, high: float) -> str:
    """Write a score with its interval, where it has one."""
    if low != low:
        return two_digits(value)
    return f"{two_digits(value)} ({two_digits(low)} to {two_digits(high)})"


def time_of_stages(seconds) -> str:
    """Write how long each stage took; earlier results have one number for all."""
    if not isinstance(seconds, Mapping):
        return f"{seconds:.1f} s"
    return ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items())


def signed(value: float) -> str:
    """Write a difference; there is no minus zero."""
    return f"{round(value, 2) + 0.0:+.2f}"


def in_hundred(value: float) -> str:
    """Write a share as a count of a hundred."""
    return f"{100 * value:.0f}"


@dataclass(frozen=True)
class Overview:
    """A result, its intervals, and the protocol that its headline is about."""

    result: "EvaluationResult"

    @cached_property
    def protocol(self) -> str:
        """The first protocol that keeps groups apart, else the first of all."""
        ran = self.result.manifest["protocols"]
        return next(
            (name for name, one in ran.items() if one["groups_kept_apart"]), next(iter(ran))
        )

    @property
    def groups_apart(self) -> bool:
        """Whether the headline is about groups that no model was trained on."""
        return bool(self.result.manifest["protocols"][self.protocol]["groups_kept_apart"])

    @cached_property
    def random(self) -> dict[str, str]:
        """The features whose network was never trained."""
        return self.result.random_features()

    @cached_property
    def intervals(self):
        """The headline score of each configuration and protocol, with its interval and name."""
        table = self.result.intervals()
        return table.assign(
            name=[self.name(row) for row in table.to_dict("records")],
            apart=table["protocol"].map(
                {
                    name: bool(one["groups_kept_apart"])
                    for name, one in self.result.manifest["protocols"].items()
                }
            ),
        )

    @cached_property
    def ranked(self):
        """The intervals under the protocol of the headline, best first."""
        table = self.intervals[self.intervals["protocol"] == self.protocol]
        return table.sort_values(self.headline, ascending=False, kind="stable")

    @property
    def headline(self) -> str:
        """The name of the headline score."""
        return self.result.metrics[0]

    def name(self, row) -> str:
        """Return the name of a configuration for people."""
        feature, *rest = (row[key] for key in self.result.configuration)
        target = f", {rest[1]}" if len(rest) > 1 else ""
        return f"{name_of(feature, self.random)} + {name_of(rest[0])}{target}"

    @cached_property
    def chance(self) -> float | None:
        """The headline score of the best guess that looks at no clip; None for the unknown."""
        return self.result.task.guess(self.result.manifest["dataset"], self.headline)

    @cached_property
    def comparison(self):
        """The paired tests under the protocol of the headline; None for a single split."""
        several = len(self.result.manifest["protocols"][self.protocol]["splits"]) > 1
        several = several and len(self.ranked) > 1
        return self.result.compare(protocol=self.protocol) if several else None

    def pvalue(self, first, second) -> float | None:
        """Return the p-value of two configurations, corrected for the number of pairs."""
        if self.comparison is None:
            return None
        for row in self.comparison.to_dict("records"):
            pair = [
                tuple(row[f"{key}_{side}"] for key in self.result.configuration) for side in (1, 2)
            ]
            wanted = [
                tuple(one[key] for key in self.result.configuration) for one in (first, second)
            ]
            if sorted(pair) == sorted(wanted):
                return float(row["pvalue_holm"])
        return None


ALPHA = 0.05


@dataclass(frozen=True)
class Note:
    """Something that bears on trust: "bad", "doubtful", "good" or "neutral", and in words."""

    level: str
    text: str
    detail: str = ""


def headline_of(result: "EvaluationResult") -> str:
    """Say in one sentence what an evaluation found.

    Parameters
    ----------
    result : EvaluationResult or RegressionResult
        What was evaluated.

    Returns
    -------
    headline : str
        What the best configuration does, within which bounds, and against what.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> from skmer.evaluation.report import headline_of
    >>> y = np.tile(["calm", "sad"], 20)
    >>> result = evaluate(
    ...     {"mine": np.eye(2)[(y == "sad") * 1]}, {"nb": GaussianNB()}, None, y, protocol="koh2021"
    ... )
    >>> headline_of(result)[:62]
    'The best, mine + NB, names the emotion of a clip in 100 of 100'
    """
    return make_headline(Overview(result))


def make_headline(seen: Overview) -> str:
    """Say in one sentence what the best configuration does, and against what."""
    if "target" not in seen.result.configuration:
        return _one_target(seen)
    targets = dict.fromkeys(seen.ranked["target"])
    return " ".join(_of_target(seen, target) for target in targets)


def _phrase(words: Mapping[str, str], seen: Overview, row: Mapping, whose: str = "") -> str:
    """Fill in the words that a task has for a score; they are explained at `Task`."""
    score = seen.headline
    value, low, high = (row[name] for name in (score, "low", "high"))
    between = f" ({in_hundred(low)} to {in_hundred(high)})" if low == low else ""
    return words.get(score, words[""]).format(
        value=with_interval(value, low, high),
        hundred=in_hundred(max(0.0, value)),
        between=between,
        whose=whose,
    )


def _guess(seen: Overview) -> str:
    row = {seen.headline: seen.chance, "low": float("nan"), "high": float("nan")}
    return _phrase(seen.result.task.guess_words, seen, row)


def _one_target(seen: Overview) -> str:
    best = seen.ranked.iloc[0]
    score = seen.headline
    whose = "an unheard artist's clip" if seen.groups_apart else "a clip of an artist heard before"
    if "n_groups" not in seen.result.manifest["dataset"]:
        whose = "a clip"
    said = _phrase(seen.result.task.headline_words, seen, best, whose)
    parts = [f"The best, {best['name']}, {said}"]
    if seen.chance is not None:
        parts.append(_guess(seen))
    plain = [one.name for one in known_features() if one.is_baseline]
    baseline = seen.ranked[seen.ranked["feature"].isin(plain) & (best["feature"] not in plain)]
    if len(baseline):
        other = baseline.iloc[0]
        value = in_hundred(other[score]) if score == "accuracy" else two_digits(other[score])
        parts.append(f"the baseline {other['name']} {value}")
        pvalue = seen.pvalue(best, other)
        if pvalue is not None:
            word = "beyond doubt" if pvalue < ALPHA else "not beyond doubt"
            n_pairs = len(seen.comparison)
            among = f", corrected for {n_pairs} comparisons" if n_pairs > 1 else ""
            parts.append(f"the difference is {word} (p = {pvalue:.2g}{among})")
    return "; ".join(parts) + "."


def _of_target(seen: Overview, target: str) -> str:
    best = seen.ranked[seen.ranked["target"] == target].iloc[0]
    whose = " of unheard artists" if seen.groups_apart else " of artists heard before"
    if "n_groups" not in seen.result.manifest["dataset"]:
        whose = ""
    name = f"{name_of(best['feature'], seen.random)} + {name_of(best[seen.result.task.model_kind])}"
    said = _phrase(seen.result.task.headline_words, seen, best, f"clips{whose}")
    guess = f"; {_guess(seen)}" if seen.chance is not None else ""
    return f"Of {target} in clips{whose}, the best, {name}, {said}{guess}."


def trust_notes(seen: Overview) -> list[Note]:
    """Say what speaks for and against the headline; what is worst comes first."""
    notes = [*_groups(seen), *_random(seen), *_left_out(seen), *_gap(seen), *_audit(seen)]
    order = ("bad", "doubtful", "neutral", "good")
    return sorted(notes, key=lambda note: order.index(note.level))


def _groups(seen: Overview) -> list[Note]:
    manifest = seen.result.manifest
    n_groups = manifest["dataset"].get("n_groups")
    if n_groups is None:
        return [
            Note(
                "doubtful",
                "No groups were given, so nobody knows whether the same artist is in training and "
                "test.",
            )
        ]
    if not seen.groups_apart:
        return [
            Note(
                "doubtful",
                f"The {n_groups} groups (singers, artists) are mixed: a model is tested on artists "
                "that it was trained on, and part of its score is that it knows them.",
            )
        ]
    few = n_groups < 10
    return [
        Note(
            "doubtful" if few else "good",
            f"Each of the {n_groups} groups (singers, artists) is tested by models that never "
            "heard it" + (", but so few groups say little about others." if few else "."),
        )
    ]


def _random(seen: Overview) -> list[Note]:
    return [
        Note(
            "doubtful",
            f"{name_of(feature)} has random weights: its network was never trained, and its "
            "numbers say nothing about the embedding of that name.",
            label,
        )
        for feature, label in seen.random.items()
    ]


def _left_out(seen: Overview) -> list[Note]:
    manifest = seen.result.manifest
    notes = [
        Note("neutral", f"{name_of(feature)} was left out.", reason)
        for feature, reason in manifest.get("left_out_features", {}).items()
    ]
    if skipped := manifest.get("skipped_clips"):
        reasons = "; ".join(clip["reason"] for clip in skipped[:5])
        more = f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        notes.append(
            Note("doubtful", f"{len(skipped)} clips could not be used.", f"{reasons}{more}")
        )
    return notes


def _gap(seen: Overview) -> list[Note]:
    pair = seen.result.protocols_to_compare()
    if pair is None:
        return []
    gaps = seen.result.summary()["gap"]
    return [
        Note(
            "neutral",
            f"With artists on both sides of a split ({pair[0]}) the same models score "
            f"{two_digits(gaps.mean())} more on average, {two_digits(gaps.max())} at most: that "
            "much is owed to knowing the artist.",
        )
    ]


def _audit(seen: Overview) -> list[Note]:
    manifest = seen.result.manifest
    if not manifest["audit"]:
        return [Note("doubtful", "No audit for leaks was made.")]
    notes = []
    for name, audit in manifest["audit"].items():
        protocol = manifest["protocols"].get(name)
        for finding in audit["findings"]:
            # That groups are mixed is what such a protocol is for, and is said above.
            mixed = protocol is not None and not protocol["groups_kept_apart"]
            if mixed and finding["kind"] in ("shared_groups", "identity_probe"):
                continue
            level = {"error": "bad", "warning": "doubtful"}.get(finding["severity"], "neutral")
            notes.append(Note(level, finding["message"], f"audit of {name.replace('_', ' ')}"))
    if not any(note.level == "bad" for note in notes):
        notes.append(Note("good", "The audit found no leak between training and test."))
    return list(dict.fromkeys(notes))


BIBTEX = {
    "skmer": """@software{skmer,
  title   = {skmer: deep audio embeddings and music emotion recognition},
  author  = {{The skmer developers}},
  version = {VERSION}
}""",
    "tests": """@article{nadeau2003inference,
  title   = {Inference for the generalization error},
  author  = {Nadeau, Claude and Bengio, Yoshua},
  journal = {Machine Learning},
  volume  = {52},
  pages   = {239--281},
  year    = {2003}
}""",
}


def methods_paragraph(seen: Overview) -> str:
    """Describe the evaluation as a methods section would."""
    manifest = seen.result.manifest
    dataset, protocol = manifest["dataset"], manifest["protocols"][seen.protocol]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    features = ", ".join(
        name_of(name, seen.random) for name in dict.fromkeys(seen.intervals["feature"])
    )
    second = seen.result.configuration[1]
    models = ", ".join(name_of(name) for name in dict.fromkeys(seen.intervals[second]))
    apart = (
        "with the clips of a group on one side of each split only"
        if protocol["groups_kept_apart"]
        else "without regard to groups"
    )
    name = dataset.get("name")
    return (
        f"We evaluated {features} with {models} on {dataset['n_clips']} clips{groups}"
        f"{f' of {name}' if name else ''}, using skmer {manifest['versions'].get('skmer', '')} "
        f"(scikit-learn {manifest['versions'].get('scikit-learn', '')}). Scores are from "
        f"{len(protocol['splits'])} splits ({seen.protocol}), {apart}; scaling, search and early "
        "stopping happened inside the training part. Intervals of "
        f"{name_of_score(seen.headline)} are 95 % percentile intervals of a bootstrap over "
        f"{'groups' if groups else 'clips'}; configurations were compared on the same splits by "
        "the corrected resampled t-test (Nadeau and Bengio, 2003) with Holm's correction. All "
        f"random numbers came from the seed {manifest['settings']['random_state']}."
    ).replace("  ", " ")


def bibliography(seen: Overview) -> str:
    """Return BibTeX entries for what was used."""
    version = str(seen.result.manifest["versions"].get("skmer", ""))
    used = ["skmer", *dict.fromkeys(seen.intervals["feature"]), "tests"]
    entries = {one.name: one.bibtex for one in known_features() if one.bibtex} | BIBTEX
    found = [entries[name] for name in used if name in entries]
    return "\n\n".join(found).replace("VERSION", version)

"""The headline of a report, notes on how far it can be trusted, and the methods of a paper."""

from collections.abc import Iterable, Iterator, Mapping
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
    "average_precision": "Average precision, mean over tags",
    "roc_auc": "ROC-AUC, mean over tags",
    "f1": "F1, mean over tags",
    "lrap": "Label ranking average precision",
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
_MODEL_NAMES = {**CLASSIFIER_NAMES, "svr": "SVR", "ridge": "Ridge"}


def name_of(part: str, random: Iterable[str] = ()) -> str:
    """Return the name of a feature or model for people, marked where its network is random."""
    name = _MODEL_NAMES.get(part) or label_of(part)
    return f"{name} (random weights)" if part in random else name


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
    def splits(self) -> dict:
        """What the manifest has about the protocol of the headline."""
        return self.result.manifest["protocols"][self.protocol]

    @property
    def artists(self) -> str | None:
        """Artists of the tested clips: "unheard", "heard before", or None without groups."""
        if "n_groups" not in self.result.manifest["dataset"]:
            return None
        return "unheard" if self.splits["groups_kept_apart"] else "heard before"

    @cached_property
    def random(self) -> dict[str, str]:
        """The features whose network was never trained."""
        return self.result.random_features()

    @cached_property
    def predictions(self):
        """The predictions under the protocol of the headline."""
        predictions = self.result.predictions
        return predictions[predictions["protocol"] == self.protocol]

    @cached_property
    def intervals(self):
        """The headline score of each configuration and protocol, with its interval and name."""
        table = self.result.intervals()
        protocols = self.result.manifest["protocols"]
        return table.assign(
            name=[self.name(row) for row in table.to_dict("records")],
            apart=[bool(protocols[name]["groups_kept_apart"]) for name in table["protocol"]],
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
        return self.result.task.guess(
            self.result.manifest["dataset"], self.headline, self.predictions
        )

    @cached_property
    def comparison(self):
        """The tests of configurations under the protocol of the headline; None where none can be.

        Scores of a single split have no spread to test by, unless all predictions are pooled.
        """
        several = self.result.is_pooled or len(self.splits["splits"]) > 1
        table = self.result.compare(protocol=self.protocol) if several else ()
        return table if len(table) else None

    @cached_property
    def features(self):
        """The comparison of the features over all models, empty where there is none to make."""
        adds_up = self.result.task.headline_score is not None
        return self.result.compare_features(protocol=self.protocol) if adds_up else ()

    @cached_property
    def models(self):
        """The comparison of the models over all features, empty where there is none to make."""
        adds_up = self.result.task.headline_score is not None
        return self.result.compare_classifiers(protocol=self.protocol) if adds_up else ()


ALPHA = 0.05


@dataclass(frozen=True)
class Note:
    """Something that bears on trust: "bad", "doubtful", "good" or "neutral", and in words."""

    level: str
    text: str
    detail: str = ""


def headline_of(result: "EvaluationResult") -> str:
    """Return in one sentence what an evaluation found.

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
    """Return in one sentence what the best configuration does, compared with guessing."""
    first = _mixed_artists(seen)
    if "target" not in seen.result.configuration:
        return first + _sentence(seen)
    targets = dict.fromkeys(seen.ranked["target"])
    return first + " ".join(_sentence_of_target(seen, target) for target in targets)


def _mixed_artists(seen: Overview) -> str:
    """Return what has to stand first where nobody knows whose clips are on which side."""
    if seen.artists is not None:
        return ""
    return (
        "The artists are not known, so the same artist may be in training and test, and every "
        "score may be too high for new artists. "
    )


_WHOSE = {
    None: ("a clip", "clips"),
    "unheard": ("an unheard artist's clip", "clips of unheard artists"),
    "heard before": ("a clip of an artist heard before", "clips of artists heard before"),
}


def _phrase(words: Mapping[str, str], seen: Overview, row: Mapping, whose: str = "") -> str:
    """Fill in the words that a task has for a score; they are explained at `Task`."""
    value, low, high = (row[name] for name in (seen.headline, "low", "high"))
    between = f" ({in_hundred(low)} to {in_hundred(high)})" if low == low else ""
    return words.get(seen.headline, words[""]).format(
        value=with_interval(value, low, high, seen.result.task.n_digits),
        hundred=in_hundred(max(0.0, value)),
        between=between,
        whose=whose,
    )


def _guess(seen: Overview, best: Mapping) -> list[str]:
    """Return what guessing gives, and whether that is better."""
    if seen.chance is None:
        return []
    row = {seen.headline: seen.chance, "low": float("nan"), "high": float("nan")}
    worse = ", so this is worse than guessing" if best[seen.headline] < seen.chance else ""
    return [_phrase(seen.result.task.guess_words, seen, row) + worse]


def _sentence(seen: Overview) -> str:
    best, score = seen.ranked.iloc[0], seen.headline
    whose = _WHOSE[seen.artists][0]
    said = _phrase(seen.result.task.headline_words, seen, best, whose)
    parts = [f"The best, {best['name']}, {said}", *_guess(seen, best)]
    plain = [one.name for one in known_features() if one.is_baseline]
    baseline = seen.ranked[seen.ranked["feature"].isin(plain) & (best["feature"] not in plain)]
    if len(baseline):
        other = baseline.iloc[0]
        value = in_hundred(other[score]) if score == "accuracy" else two_digits(other[score])
        parts.append(f"the baseline {other['name']} {value}")
    return _better_feature(seen) + "; ".join(parts) + "."


def _better_feature(seen: Overview, target: str | None = None) -> str:
    """Return by how much the best feature is above the baseline, or else above the next one."""
    table, ranked = seen.features, seen.ranked
    if target is not None and len(table):
        table, ranked = (one[one["target"] == target] for one in (table, ranked))
    if not len(table):
        return ""
    order = ranked.groupby("feature")[seen.headline].mean().sort_values(ascending=False).index
    plain = [one.name for one in known_features() if one.is_baseline and one.name != order[0]]
    other = next((name for name in order[1:] if name in plain), order[1])
    row = table[table[["feature_1", "feature_2"]].isin([order[0], other]).all(axis=1)].iloc[0]
    sign = 1 if row["feature_1"] == order[0] else -1
    ends = sorted([sign * row["low"], sign * row["high"]])
    models = ranked[seen.result.task.model_kind].unique()
    kind = seen.result.task.model_kind
    over = f"{len(models)} {kind}s" if len(models) > 1 else name_of(models[0])
    unit = "groups" if seen.artists else "clips"
    corrected = f", corrected for {len(table)} pairs of features" if len(table) > 1 else ""
    names = (name_of(name, seen.random) for name in (order[0], other))
    chance = ", which may be chance" if row["pvalue_holm"] >= ALPHA else ""
    return (
        "{} is {} above {} in ".format(
            next(names), with_interval(sign * row["difference"], *ends), next(names)
        )
        + f"{in_sentence(seen.headline)}, over {over} and {row['n_groups']} {unit} "
        f"(p = {row['pvalue_holm']:.2g}{corrected}){chance}. "
    )


def _sentence_of_target(seen: Overview, target: str) -> str:
    best = seen.ranked[seen.ranked["target"] == target].iloc[0]
    whose = _WHOSE[seen.artists][1]
    name = f"{name_of(best['feature'], seen.random)} + {name_of(best[seen.result.task.model_kind])}"
    said = _phrase(seen.result.task.headline_words, seen, best, whose)
    compared = _better_feature(seen, target)
    compared = f"For {target}, {compared}" if compared else ""
    said = f"Of {target} in {whose}, the best, {name}, {said}"
    return compared + "; ".join([said, *_guess(seen, best)]) + "."


def trust_notes(seen: Overview) -> list[Note]:
    """Return what speaks for and against the headline; what is worst comes first."""
    notes = [_groups(seen), *_features(seen), *_gap(seen), *_audit(seen)]
    order = ("bad", "doubtful", "neutral", "good")
    unknown = notes[:1] if seen.artists is None else []
    return unknown + sorted(notes[len(unknown) :], key=lambda note: order.index(note.level))


def _groups(seen: Overview) -> Note:
    n_groups = seen.result.manifest["dataset"].get("n_groups")
    if seen.artists is None:
        return Note("doubtful", _mixed_artists(seen).strip())
    if seen.artists == "heard before":
        text = f"The {n_groups} groups (singers, artists) are mixed: a model is tested on artists "
        text += "that it was trained on, and part of its score is that it knows them."
        return Note("doubtful", text)
    text = f"Each of the {n_groups} groups (singers, artists) is tested by models that never heard "
    if n_groups < 10:
        return Note("doubtful", f"{text}it, but so few groups say little about others.")
    return Note("good", f"{text}it.")


def _features(seen: Overview) -> Iterator[Note]:
    """Yield features with random weights or none at all, and clips that were left out."""
    manifest = seen.result.manifest
    for feature, label in seen.random.items():
        text = f"{name_of(feature)} has random weights: its network was never trained, and its "
        yield Note(
            "doubtful", f"{text}numbers say nothing about the embedding of that name.", label
        )
    for feature, reason in manifest.get("left_out_features", {}).items():
        yield Note("neutral", f"{name_of(feature)} was left out.", reason)
    for protocol, tags in manifest.get("unscored", {}).items():
        words = [f"{tag} ({n} test parts)" if n > 1 else tag for tag, n in tags.items()]
        text = f"{len(tags)} tags have no positive or no negative in a test part ({protocol}); "
        text += "they have no score there, and are left out of the mean."
        yield Note("neutral", text, ", ".join(words))
    if skipped := manifest.get("skipped_clips"):
        reasons = "; ".join(clip["reason"] for clip in skipped[:5])
        reasons += f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
        yield Note("doubtful", f"{len(skipped)} clips could not be used.", reasons)


def _gap(seen: Overview) -> Iterator[Note]:
    pair = seen.result.protocols_to_compare()
    if pair is not None:
        gaps = seen.result.summary()["gap"]
        text = f"With artists on both sides of a split ({pair[0]}) the same models score "
        text += f"{two_digits(gaps.mean())} more on average, {two_digits(gaps.max())} at most: "
        yield Note("neutral", f"{text}that much is owed to knowing the artist.")


def _audit(seen: Overview) -> list[Note]:
    manifest = seen.result.manifest
    if not manifest["audit"]:
        return [Note("doubtful", "No audit for leaks was made.")]
    notes = []
    for name, audit in manifest["audit"].items():
        protocol = manifest["protocols"].get(name)
        is_mixed = protocol is not None and not protocol["groups_kept_apart"]
        for finding in audit["findings"]:
            # Such a protocol mixes groups on purpose, and another note has it.
            if is_mixed and finding["kind"] in ("shared_groups", "identity_probe"):
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
    manifest, splits = seen.result.manifest, seen.splits
    dataset, versions = manifest["dataset"], manifest["versions"]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    features, models = (
        ", ".join(name_of(name, seen.random) for name in dict.fromkeys(seen.intervals[key]))
        for key in seen.result.configuration[:2]
    )
    apart = (
        "with the clips of a group on one side of each split only"
        if splits["groups_kept_apart"]
        else "without regard to groups"
    )
    name = dataset.get("name")
    return (
        f"We evaluated {features} with {models} on {dataset['n_clips']} clips{groups}"
        f"{f' of {name}' if name else ''}, using skmer {versions.get('skmer', '')} "
        f"(scikit-learn {versions.get('scikit-learn', '')}). Scores are from "
        f"{len(splits['splits'])} splits ({seen.protocol}), {apart}; scaling, search and early "
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

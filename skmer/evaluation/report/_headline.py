"""The sentence that a supervisor reads, and whether it can be trusted."""

from dataclasses import dataclass

from skmer.evaluation.report._overview import Overview
from skmer.evaluation.report._words import in_hundred, name_of, two_digits, with_interval
from skmer.evaluation.results import BaseResult

ALPHA = 0.05


@dataclass(frozen=True)
class Note:
    """Something that bears on trust: "bad", "doubtful", "good" or "neutral", and in words."""

    level: str
    text: str
    detail: str = ""


def headline_of(result: BaseResult) -> str:
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
    if seen.result.has_classes:
        return _classification(seen)
    targets = dict.fromkeys(seen.ranked["target"])
    return " ".join(_regression(seen, target) for target in targets)


def _classification(seen: Overview) -> str:
    best = seen.ranked.iloc[0]
    score = seen.headline
    whose = "an unheard artist's clip" if seen.groups_apart else "a clip of an artist heard before"
    if "n_groups" not in seen.result.manifest["dataset"]:
        whose = "a clip"
    if score == "accuracy":
        between = (
            ""
            if best["low"] != best["low"]
            else (f" ({in_hundred(best['low'])} to {in_hundred(best['high'])})")
        )
        said = f"names the emotion of {whose} in {in_hundred(best[score])} of 100 cases{between}"
    else:
        said = f"reaches {with_interval(best[score], best['low'], best['high'])} on {whose}"
    parts = [f"The best, {best['name']}, {said}"]
    if seen.chance is not None:
        chance = in_hundred(seen.chance) if score == "accuracy" else two_digits(seen.chance)
        parts.append(f"guessing gives {chance}")
    baseline = seen.ranked[(seen.ranked["feature"] == "mfcc") & (best["feature"] != "mfcc")]
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


def _regression(seen: Overview, target: str) -> str:
    rows = seen.ranked[seen.ranked["target"] == target]
    best = rows.iloc[0]
    whose = "of unheard artists" if seen.groups_apart else "of artists heard before"
    if "n_groups" not in seen.result.manifest["dataset"]:
        whose = ""
    if seen.headline != "r2":
        value = with_interval(best[seen.headline], best["low"], best["high"])
        return f"The best for {target}, {best['name']}, reaches {value} on clips {whose}.".replace(
            " .", "."
        )
    share = max(0.0, best["r2"])
    between = with_interval(best["r2"], best["low"], best["high"])
    return (
        f"Of {target} in clips {whose}, the best, {name_of(best['feature'], seen.random)} + "
        f"{name_of(best['regressor'])}, explains {in_hundred(share)} % (r² {between}); guessing "
        "the mean explains nothing."
    ).replace("clips ,", "clips,")


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

"""What a reader is told first: what was found, in sentences made from the numbers."""

from collections.abc import Iterator

import numpy as np

from skmer.evaluation.displays import CLASSIFIER_NAMES
from skmer.evaluation.report import Note, in_hundred, name_of, with_interval
from skmer.studies.koh2021._datasets import titles
from skmer.studies.koh2021._editions import EDITIONS, describe_reductions
from skmer.studies.koh2021._findings import Findings
from skmer.studies.koh2021._published import ADDITIONS, FEATURES, published
from skmer.studies.koh2021._table import headline_protocol
from skmer.studies.koh2021.claims._claims import Claim
from skmer.studies.koh2021.claims._verdicts import HELD, NOT_HELD

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

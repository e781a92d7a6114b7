"""The table 'published / faithful / defensible', one row a cell."""

from itertools import chain

import numpy as np

from skmer.studies.koh2021._editions import EDITIONS
from skmer.studies.koh2021._published import ADDITIONS, DATASETS, published, published_accuracy


def headline_protocol(scores, edition) -> str:
    """Return the protocol of an edition's headline; without groups there are only random splits."""
    return edition.protocol if edition.protocol in set(scores["protocol"]) else "koh2021"


def accuracy_rows(intervals: dict) -> list[dict]:
    """Return a row for each cell that was run, or has a printed accuracy."""
    rows = []
    for dataset in DATASETS:
        tables = {
            edition.name: _accuracies(intervals[dataset, edition.name], edition)
            for edition in EDITIONS
            if (dataset, edition.name) in intervals
        }
        printed = [
            (row["feature"], row["classifier"])
            for row in published()["accuracy"]
            if row["dataset"] == dataset
        ]
        for feature, classifier in dict.fromkeys(chain(printed, *tables.values())):
            known = published_accuracy(dataset, feature, classifier)
            row = {"dataset": dataset, "feature": feature, "classifier": classifier}
            row |= {"target": "", "score": "accuracy", "addition": feature in ADDITIONS}
            row["published"] = known["value"] if known else np.nan
            for edition in EDITIONS:
                found = tables.get(edition.name, {}).get((feature, classifier), {})
                row |= _columns(edition.name, found)
            rows.append(row)
    return rows


def regression_rows(intervals: dict) -> list[dict]:
    """Return a row for each target and feature: random splits beside the published split."""
    rows = []
    known = {row["target"]: row["value"] for row in published()["r2"]}
    features = {feature for feature, _ in intervals}
    for feature in dict.fromkeys(["l3", *(feature for feature, _ in intervals)]):
        for axis in ("arousal", "valence"):
            for label in ("static", "dynamic"):
                row = {"dataset": "emomusic", "feature": feature, "classifier": "svr"}
                row |= {"target": f"{label} {axis}", "score": "r2"}
                row["addition"] = feature in ADDITIONS
                # The study does not say which label; its predecessors took the static one.
                row["published"] = known[axis] if (feature, label) == ("l3", "static") else np.nan
                for edition in EDITIONS:
                    table = intervals.get((feature, edition.name))
                    found = {} if table is None else _r2(table, edition, row["target"])
                    row |= _columns(edition.name, found)
                if feature in features or np.isfinite(row["published"]):
                    rows.append(row)
    return rows


def _columns(edition: str, found: dict) -> dict:
    return {
        edition if key == "estimate" else f"{edition}_{key}": found.get(key, np.nan)
        for key in ("estimate", "low", "high", "gap", "protocol")
    }


def _accuracies(table, edition) -> dict[tuple[str, str], dict]:
    """Return estimate, interval and gap of each feature and classifier."""
    protocol = headline_protocol(table, edition)
    intervals = table.set_index(["protocol", "feature", "classifier"])
    return {
        key: _found(intervals, protocol, key, "accuracy", "koh2021", "grouped")
        for key in intervals.loc[protocol].index
    }


def _r2(table, edition, target: str) -> dict:
    intervals = table.set_index(["protocol", "feature", "regressor", "target"])
    wanted = "shuffled" if edition.protocol == "koh2021" else "fixed"
    protocol = wanted if wanted in set(table["protocol"]) else "grouped"
    key = (*intervals.index[0][1:3], target)
    return _found(intervals, protocol, key, "r2", "shuffled", "grouped")


def _found(intervals, protocol, key, score, mixed, kept) -> dict:
    row = intervals.loc[(protocol, *key)]
    values = {"estimate": float(row[score]), "low": float(row["low"]), "high": float(row["high"])}
    places = [(name, *key) for name in (mixed, kept)]
    if all(place in intervals.index for place in places):
        random, grouped = (float(intervals.loc[place, score]) for place in places)
        values["gap"] = random - grouped
    return values | {"protocol": protocol}

"""What the study states, number by number, with the table or figure that it is from."""

import json
from functools import cache
from importlib import resources

# What the study compared, and what may be run beside it; additions are no part of its claims.
FEATURES = ("l3", "vggish", "mfcc")
ADDITIONS = ("musicnn",)
DATASETS = ("4q", "bimodal", "emomusic", "ravdess-song")


@cache
def published() -> dict:
    """Return the study's numbers; not to be changed."""
    path = resources.files("skmer.studies.koh2021") / "published.json"
    return json.loads(path.read_text(encoding="utf-8"))


def published_accuracy(dataset: str, feature: str, classifier: str) -> dict | None:
    """Return the printed accuracy of a cell, or None where only a bar was drawn."""
    wanted = {"dataset": dataset, "feature": feature, "classifier": classifier}
    rows = published()["accuracy"]
    return next((row for row in rows if wanted.items() <= row.items()), None)

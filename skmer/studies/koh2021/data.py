"""The study: its editions, its published numbers, its datasets and its features."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from importlib import resources
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch

from skmer.datasets import fetch_emomusic, list_datasets, load_dataset
from skmer.evaluation import features as inputs
from skmer.evaluation.manifest import describe_estimator
from skmer.exceptions import DatasetNotFoundError, WeightsNotFoundError
from skmer.utils import digest, estimators, progress


@dataclass(frozen=True)
class Edition:
    """One reading of the study: its settings, its clips, and the protocol of its headline."""

    name: str
    preset: estimators.Preset
    protocol: str
    ravdess_subset: str

    def headline_protocol(self, table) -> str:
        """Return the protocol of the headline; without groups there are only random splits."""
        return self.protocol if self.protocol in set(table["protocol"]) else "koh2021"

    def headline_rows(self, table):
        """Return the rows of a result's table under the protocol of the headline."""
        return table[table["protocol"] == self.headline_protocol(table)]


FAITHFUL = Edition("faithful", "koh2021", "koh2021", "koh2021")
DEFENSIBLE = Edition("defensible", "tuned", "grouped", "all")
EDITIONS = (FAITHFUL, DEFENSIBLE)


@dataclass(frozen=True)
class Budget:
    """How much is computed; the defaults are the study's."""

    n_shuffles: int = 20
    n_draws: int = 4
    max_epochs: int = 1000
    patience: int = 100
    l3_hops: tuple[float, float] = (0.1, 0.5)
    matrix: tuple[int, float] = (1500, 20.0)
    n_regression_folds: int = 10
    perplexities: tuple[int, ...] = (5, 10, 20, 30, 50, 75, 100)

    @property
    def n_rounds(self) -> int:
        """Repeats of every cell: a random split in each, and a draw of the folds in the first."""
        return max(self.n_shuffles, self.n_draws)


FULL = Budget()
QUICK = Budget(3, 1, 30, 10, (1.0, 1.0), (100, 300.0), 5, (10, 30, 100))
_MEANINGS = {
    "n_shuffles": "random 80/10/10 splits of every cell",
    "n_draws": "draws of the 5 folds with groups kept apart, in every cell",
    "max_epochs": "epochs at most of MLP, CNN and LSTM",
    "patience": "epochs without improvement before CNN, LSTM and the tuned MLP stop",
    "l3_hops": "seconds from frame to frame of L3-Net",
    "matrix": "frames, and milliseconds from frame to frame, of the MFCC matrix for CNN and LSTM",
    "n_regression_folds": "folds of the regression",
    "perplexities": "perplexities of t-SNE",
}


def describe_reductions(budget: Budget) -> list[str]:
    """Describe in words how a budget differs from the study's."""
    full, given = asdict(FULL), asdict(budget)
    return [
        f"{_in_words(given[name])} instead of {_in_words(full[name])} {meaning}"
        for name, meaning in _MEANINGS.items()
        if given[name] != full[name]
    ]


def _in_words(value) -> str:
    return ", ".join(f"{number:g}" for number in np.atleast_1d(value))


def rows_of(table, cell: dict):
    """Return the rows of a table that have the values of the cell."""
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


# What the study compared, and what may be run beside it; additions are no part of its claims.
FEATURES = ("l3", "vggish", "mfcc")
ADDITIONS = ("musicnn",)
DATASETS = ("4q", "bimodal", "emomusic", "ravdess-song")
# Training, validation and test rows of a random split.
N_SUBSETS = 3


@cache
def published() -> dict:
    """Return the study's numbers; not to be changed."""
    path = resources.files("skmer.studies.koh2021") / "published.json"
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def titles() -> dict[str, str]:
    """Return the names of the datasets for people."""
    return dict(list_datasets().set_index("name")["title"])


@dataclass
class StudyDatasets:
    """Clips by dataset and edition, annotations without audio, and why others are missing.

    Every bunch has a `digest`, by the content of its files and of its table.
    """

    clips: dict[tuple[str, str], Bunch] = field(default_factory=dict)
    annotations: Bunch | None = None
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Datasets with audio, in the study's order."""
        return list(dict.fromkeys(name for name, _ in self.clips))

    @property
    def class_counts(self) -> dict[str, tuple[dict, dict]]:
        """Clips of each class by dataset: of the study's first table, and of the faithful edition.

        The latter are None where the dataset is not in place.
        """
        counts = {}
        for name, printed in published()["clips"]["counts"].items():
            clips = self.clips.get((name, FAITHFUL.name))
            if clips is None and name == "emomusic":
                clips = self.annotations
            labels = None if clips is None else np.asarray(clips.target).tolist()
            here = {label: None if labels is None else labels.count(label) for label in printed}
            counts[name] = printed, here
        return counts


def find_datasets(data_home, *, verbose: bool = False) -> StudyDatasets:
    """Load the clips of each dataset for each edition; nothing is downloaded."""
    datasets = StudyDatasets()
    where = {"data_home": data_home, "download_if_missing": False}
    for name in DATASETS:
        load = cache(partial(load_dataset, name))
        try:
            for edition in EDITIONS:
                subset = {"subset": edition.ravdess_subset} if name == "ravdess-song" else {}
                clips, rare = _without_rare(load(**subset, **where))
                datasets.clips[name, edition.name] = clips
                if rare:
                    counts = ", ".join(f"{label} ({n} clips)" for label, n in rare.items())
                    datasets.notes.append(
                        f"{titles()[name]}, {edition.name}: left out {counts}, since too few of "
                        "its clips are in place to be in every subset of a split."
                    )
        except DatasetNotFoundError as error:
            datasets.missing[name] = str(error)
    try:
        datasets.annotations = fetch_emomusic(annotations_only=True, **where)
        datasets.annotations["digest"] = _digest(datasets.annotations.frame, {})
    except DatasetNotFoundError as error:
        datasets.missing["emomusic"] = str(error)
    _add_digests(datasets, verbose=verbose)
    return datasets


def _without_rare(clips: Bunch) -> tuple[Bunch, dict[str, int]]:
    """Leave out classes that cannot be on all sides of a split, as where most clips are missing."""
    rare = {}
    for label, count in zip(*np.unique(clips.target, return_counts=True)):
        of_label = clips.target == label
        in_one_group = clips.groups is not None and np.unique(clips.groups[of_label]).size < 2
        if count < N_SUBSETS or in_one_group:
            rare[str(label)] = int(count)
    kept = ~np.isin(clips.target, list(rare))
    chosen = Bunch(**clips)
    for name in ("data", "target", "groups"):
        chosen[name] = None if clips[name] is None else clips[name][kept]
    chosen["frame"] = clips.frame[kept].reset_index(drop=True)
    return chosen, rare


def _add_digests(datasets: StudyDatasets, *, verbose: bool) -> None:
    """Read every file once, whichever editions it is in."""
    paths = list(dict.fromkeys(path for clips in datasets.clips.values() for path in clips.data))
    tracked = progress.track(paths, description="digests of the clips", enabled=verbose)
    digests = {path: digest.file_digest(path) for path in tracked}
    for clips in datasets.clips.values():
        clips["digest"] = _digest(clips.frame, {path: digests[path] for path in clips.data})


def _digest(frame, digests: dict) -> str:
    """Return the digest of a table and the files in it: the same wherever they lie."""
    total = hashlib.sha256(frame.drop(columns="path").to_csv(index=False).encode())
    for path, of_file in digests.items():
        total.update(f"{Path(path).parent.name}/{Path(path).name} {of_file}\n".encode())
    return total.hexdigest()


# The study's larger embedding, compared with the smaller one by a single classifier.
LARGE, LARGE_CLASSIFIER = "l3-6144", "svm"
# They change how fast the numbers come, not the numbers.
_SPEED_PARAMETERS = ("memory", "n_jobs", "verbose", "batch_size")


def make_features(names, *, edition: Edition, budget: Budget, **options) -> tuple[dict, dict]:
    """Return the fitted transformers that can be had, and why the others cannot.

    The options are those of `make_transformers`.
    """
    transformers: dict = inputs.make_transformers(names, preset=edition.preset, **options)
    if "l3" in transformers:
        transformers["l3"].set_params(hop_size=budget.l3_hops[EDITIONS.index(edition)])
        transformers[LARGE] = clone(transformers["l3"]).set_params(embedding_size=6144)
    fitted, left_out = {}, {}
    for name, transformer in transformers.items():
        try:
            # Fitting reads no clip; it only checks that the weights are in place.
            fitted[name] = transformer.fit([np.zeros(1, np.float32)])
        except WeightsNotFoundError as error:
            left_out[name] = str(error)
    return fitted, left_out


def feature_of(transformer, classifier: str, edition: Edition, budget: Budget):
    """Return the transformer of what a classifier gets of a feature."""
    view = inputs.choose_input(transformer, classifier, preset=edition.preset)
    parameters = dict(inputs.INPUT_PARAMETERS[view])
    if view == inputs.MATRIX:
        n_frames, milliseconds = budget.matrix
        # At the 22050 Hz of the MFCC, as everywhere in skmer.
        parameters |= {"n_frames": n_frames, "hop_length": round(22050 * milliseconds / 1000)}
    return clone(transformer).set_params(**parameters)


def describe_feature(transformer) -> dict:
    """Return all parameters and weights on which the numbers of a fitted transformer depend."""
    described = describe_estimator(transformer)
    for name in _SPEED_PARAMETERS:
        described["parameters"].pop(name, None)
    return described | {"weights_digest": getattr(transformer, "weights_digest_", None)}

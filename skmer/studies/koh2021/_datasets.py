"""The study's datasets, as far as they are in place."""

import hashlib
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skmer.datasets import fetch_emomusic, fetch_ravdess_song, list_datasets, load_dataset
from skmer.exceptions import DatasetNotFoundError
from skmer.studies.koh2021._editions import EDITIONS, FAITHFUL
from skmer.studies.koh2021._published import DATASETS, published
from skmer.utils import track
from skmer.utils.files._digest import file_digest

# Training, validation and test part of a random split.
N_PARTS = 3


@dataclass
class StudyDatasets:
    """What is in place: clips by dataset and edition, annotations without audio, and what is not.

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


def find_datasets(data_home, *, verbose: bool = False) -> StudyDatasets:
    """Load the clips of each dataset for each edition; nothing is downloaded."""
    datasets = StudyDatasets()
    where = {"data_home": data_home, "download_if_missing": False}
    for name in DATASETS:
        load = cache(fetch_ravdess_song if name == "ravdess-song" else partial(load_dataset, name))
        try:
            for edition in EDITIONS:
                subset = {"subset": edition.ravdess_subset} if name == "ravdess-song" else {}
                clips, rare = _without_rare(load(**subset, **where))
                datasets.clips[name, edition.name] = clips
                if rare:
                    datasets.notes.append(_describe_rare(titles()[name], edition.name, rare))
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
    """Leave out classes that cannot be in all parts of a split, as where most clips are missing."""
    rare = {}
    for label, count in zip(*np.unique(clips.target, return_counts=True)):
        of_label = clips.target == label
        in_one_group = clips.groups is not None and np.unique(clips.groups[of_label]).size < 2
        if count < N_PARTS or in_one_group:
            rare[str(label)] = int(count)
    kept = ~np.isin(clips.target, list(rare))
    chosen = Bunch(**clips)
    for name in ("data", "target", "groups"):
        chosen[name] = None if clips[name] is None else clips[name][kept]
    chosen["frame"] = clips.frame[kept].reset_index(drop=True)
    return chosen, rare


def _describe_rare(title: str, edition: str, rare: dict[str, int]) -> str:
    counts = ", ".join(f"{label} ({count} clips)" for label, count in rare.items())
    return (
        f"{title}, {edition}: left out {counts}, since too few of its clips are in place to be in "
        "every part of a split."
    )


def _add_digests(datasets: StudyDatasets, *, verbose: bool) -> None:
    """Read every file once, whichever editions it is in."""
    paths = list(dict.fromkeys(path for clips in datasets.clips.values() for path in clips.data))
    digests = {}
    for path in track(paths, description="digests of the clips", enabled=verbose):
        digests[path] = file_digest(path)
    for clips in datasets.clips.values():
        clips["digest"] = _digest(clips.frame, {path: digests[path] for path in clips.data})


def _digest(frame, digests: dict) -> str:
    """Return the digest of a table and the files in it: the same wherever they lie."""
    total = hashlib.sha256(frame.drop(columns="path").to_csv(index=False).encode())
    for path, digest in digests.items():
        total.update(f"{Path(path).parent.name}/{Path(path).name} {digest}\n".encode())
    return total.hexdigest()


def titles() -> dict[str, str]:
    """Return the names of the datasets in a text."""
    return dict(list_datasets().set_index("name")["title"])


def class_counts(datasets: StudyDatasets) -> list[dict]:
    """Compare the clips of the faithful edition with the study's first table, class by class."""
    rows = []
    for name in DATASETS:
        clips = datasets.clips.get((name, FAITHFUL.name))
        if clips is None and name == "emomusic":
            clips = datasets.annotations
        for label, count in published()["clips"]["counts"][name].items():
            here = None if clips is None else int(np.sum(np.asarray(clips.target) == label))
            rows.append({"dataset": name, "class": label, "published": count, "here": here})
    return rows

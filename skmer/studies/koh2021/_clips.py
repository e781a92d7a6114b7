"""The study's datasets, as far as they are in place."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skmer.datasets import fetch_emomusic, fetch_ravdess_song, list_datasets, load_dataset
from skmer.exceptions import DatasetNotFoundError
from skmer.studies.koh2021._editions import EDITIONS
from skmer.studies.koh2021._published import DATASETS, published

# Training, validation and test part of a random split.
N_PARTS = 3


@dataclass
class Holdings:
    """What is there: clips by dataset and edition, annotations without audio, and what is not."""

    clips: dict[tuple[str, str], Bunch] = field(default_factory=dict)
    annotations: Bunch | None = None
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def of(self, dataset: str) -> list[tuple[str, Bunch]]:
        """Return the editions of a dataset."""
        return [
            (edition, clips) for (name, edition), clips in self.clips.items() if name == dataset
        ]

    @property
    def datasets(self) -> list[str]:
        """Datasets with audio, in the study's order."""
        return list(dict.fromkeys(name for name, _ in self.clips))


def find_clips(data_home) -> Holdings:
    """Load the clips of each dataset for each edition; nothing is downloaded."""
    holdings = Holdings()
    options = {"data_home": data_home, "download_if_missing": False}
    for name in DATASETS:
        try:
            if name == "ravdess-song":
                loaded = [
                    fetch_ravdess_song(subset=edition.ravdess_subset, **options)
                    for edition in EDITIONS
                ]
            else:
                loaded = [load_dataset(name, **options)] * len(EDITIONS)
        except DatasetNotFoundError as error:
            holdings.missing[name] = str(error)
        else:
            for edition, clips in zip(EDITIONS, loaded):
                kept, rare = _without_rare(clips)
                holdings.clips[name, edition.name] = kept
                if rare:
                    holdings.notes.append(_describe_rare(titles()[name], edition.name, rare))
    try:
        holdings.annotations = fetch_emomusic(annotations_only=True, **options)
    except DatasetNotFoundError as error:
        holdings.missing["emomusic"] = str(error)
    return holdings


def _without_rare(clips: Bunch) -> tuple[Bunch, dict[str, int]]:
    """Leave out classes that cannot be in all parts of a split, as where most clips are missing."""
    rare = {}
    for label, count in zip(*np.unique(clips.target, return_counts=True)):
        at = clips.target == label
        in_one_group = clips.groups is not None and np.unique(clips.groups[at]).size < 2
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


def titles() -> dict[str, str]:
    """Return the names of the datasets in a text."""
    return dict(list_datasets().set_index("name")["title"])


def class_counts(holdings: Holdings) -> list[dict]:
    """Compare the clips of the faithful edition with the study's first table, class by class."""
    rows = []
    for name in DATASETS:
        clips = holdings.clips.get((name, EDITIONS[0].name))
        if clips is None and name == "emomusic":
            clips = holdings.annotations
        for label, count in published()["clips"]["counts"][name].items():
            here = None if clips is None else int(np.sum(np.asarray(clips.target) == label))
            rows.append({"dataset": name, "class": label, "published": count, "here": here})
    return rows


def clips_digest(clips: Bunch) -> str:
    """Digest of names, sizes, labels and groups: the same clips wherever they lie."""
    digest = hashlib.sha256()
    groups = [None] * len(clips.data) if clips.groups is None else clips.groups
    for path, label, group in zip(map(Path, clips.data), clips.target, groups):
        size = path.stat().st_size if path.is_file() else None
        digest.update(f"{path.parent.name}/{path.name} {size} {label} {group}\n".encode())
    return digest.hexdigest()

"""Finished pieces of a reproduction, each a folder of small files."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from skmer._version import __version__
from skmer.exceptions import IgnoredCacheWarning
from skmer.studies.koh2021.data import Budget, FeatureExtractor
from skmer.utils.digest import file_digest, read_regular
from skmer.utils.files import atomic_folder

T = TypeVar("T")
# In the form of the program sha256sum, whose option -c checks a piece as well.
_CHECKSUMS = "SHA256SUMS"
_SETTINGS = "settings.json"


class PieceStore:
    """Remembers each piece by the settings that decide its numbers.

    A piece is written beside its place and renamed, so that it is there whole or not at all. It
    holds its settings, and the checksums of its files: one that was cut or changed since, or that
    is another piece, is computed again, with a warning. What a first run goes on with was read
    back, so that a second run goes on with the same.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.computed: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def remember(
        self,
        name: str,
        settings: dict,
        compute: Callable[[], T],
        *,
        write: Callable[[T, Path], object],
        read: Callable[[Path], T],
    ) -> T:
        """Return the piece of that name and settings, computed where it is not there yet."""
        text = json.dumps(
            {"piece": name, "skmer": __version__, **settings}, sort_keys=True, default=str
        )
        place = self.folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        if os.path.lexists(place):
            if _is_intact(place, text):
                return read(place)
            warnings.warn(
                f"The finished piece {place} is damaged and is computed again.",
                IgnoredCacheWarning,
                stacklevel=3,
            )
        computed = compute()
        if not place.is_dir():
            place.unlink(missing_ok=True)
        with atomic_folder(place) as part:
            write(computed, part)
            (part / _SETTINGS).write_text(text, encoding="utf-8")
            (part / _CHECKSUMS).write_text(_checksums(part), encoding="utf-8")
            piece = read(part)
        self.computed.append(name)
        return piece

    def result(self, cls: Callable[..., T], name: str, settings, compute: Callable[[], T]) -> T:
        """Remember an evaluation's result."""
        return self.remember(
            name, settings, compute, write=_write_result, read=lambda place: cls(*_read(place))
        )

    def facts(self, name: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """Remember what json can hold."""
        return self.remember(name, settings, compute, write=_write_facts, read=_read_facts)


def _checksums(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.name != _CHECKSUMS)
    return "".join(f"{file_digest(path)}  {path.name}\n" for path in files)


def _is_intact(folder: Path, settings: str) -> bool:
    try:
        known = read_regular(folder / _CHECKSUMS), read_regular(folder / _SETTINGS)
        return known == (_checksums(folder).encode(), settings.encode())
    except OSError:
        return False


def _write_result(result, folder: Path) -> None:
    """Write what intervals and figures need: the probabilities stay out."""
    predictions = result.predictions
    kept = [name for name in predictions if not str(name).startswith("proba_")]
    # Parquet gives back text, numbers and empty cells as they were.
    result.scores.to_parquet(folder / "scores.parquet")
    predictions[kept].to_parquet(folder / "predictions.parquet")
    _write_facts(result.manifest, folder)


def _read(folder: Path) -> tuple:
    import pandas as pd

    frames = (pd.read_parquet(folder / f"{name}.parquet") for name in ("scores", "predictions"))
    return (*frames, _read_facts(folder))


def _write_facts(facts: dict, folder: Path) -> None:
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _read_facts(folder: Path) -> dict:
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class RunContext:
    """Where pieces are kept, what embeds the clips, and where random numbers come from."""

    store: PieceStore
    extractor: FeatureExtractor
    seed: int
    n_jobs: int | None
    verbose: bool

    @property
    def budget(self) -> Budget:
        """How much is computed."""
        return self.extractor.budget

    def announce(self, text: str) -> None:
        """Tell on standard error what comes next."""
        from rich.console import Console

        Console(stderr=True, quiet=not self.verbose, highlight=False).print(text, markup=False)

"""Finished pieces of a reproduction, and what all of them are computed with."""

import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skmer._version import __version__
from skmer.exceptions import IgnoredCacheWarning, InputError
from skmer.studies.koh2021.data import Budget, FeatureExtractor
from skmer.utils.digest import settings_digest
from skmer.utils.store import read_store, to_json, write_store


class PieceStore:
    """Keeps each piece by the settings on which its numbers depend.

    A piece that was cut or changed since it was written, or that is another piece, is computed
    again, with a warning. Pieces are always read back, so that a first run goes on with the same
    numbers as a second one.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.computed: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def remember(
        self, name: str, settings: dict, compute: Callable[[], tuple], tables: Sequence[str] = ()
    ) -> tuple[dict, dict]:
        """Return tables and facts of a piece, computed where it is not there yet."""
        settings = {"piece": name, "skmer": __version__} | settings
        settings = json.loads(json.dumps(settings, default=str))
        place = self.folder / f"{name}-{settings_digest(settings)[:12]}"
        try:
            found, manifest = read_store(place, tables, kind=place.name)
        except InputError:
            if _has_files(place):
                warnings.warn(
                    f"The finished piece {place} is damaged and is computed again.",
                    IgnoredCacheWarning,
                    stacklevel=3,
                )
            computed, facts = compute()
            manifest = {"settings": settings, "facts": facts}
            # Before the folder is made: an error leaves nothing.
            to_json(manifest)
            if not place.is_dir():
                place.unlink(missing_ok=True)
            write_store(place, computed, manifest, kind=place.name)
            found, manifest = read_store(place, tables, kind=place.name)
            self.computed.append(name)
        return found, manifest["facts"]

    def result(self, cls: Callable[..., Any], name: str, settings: dict, compute: Callable) -> Any:
        """Return an evaluation's result, without the probabilities, which nothing here needs."""

        def compute_tables():
            result = compute()
            names = [one for one in result.predictions if not str(one).startswith("proba_")]
            tables = {"scores": result.scores, "predictions": result.predictions[names]}
            return tables, result.manifest

        tables, facts = self.remember(name, settings, compute_tables, ("scores", "predictions"))
        return cls(tables["scores"], tables["predictions"], facts)

    def facts(self, name: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """Return facts that JSON can hold."""
        return self.remember(name, settings, lambda: ({}, compute()))[1]


def _has_files(place: Path) -> bool:
    """Whether more is in a place than what a killed process leaves."""
    if not place.is_dir():
        return os.path.lexists(place)
    return any(not path.name.startswith(".") for path in place.iterdir())


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
        """Print on standard error what is computed next."""
        from rich.console import Console

        Console(stderr=True, quiet=not self.verbose, highlight=False).print(text, markup=False)

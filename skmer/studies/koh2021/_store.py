"""Finished pieces of a reproduction, each a folder of small csv and json files."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from skmer._version import __version__
from skmer.evaluation.results._files import to_json

T = TypeVar("T")


class Store:
    """Remembers each piece by the settings that decide its numbers.

    A piece is written beside its place and renamed, so that it is there whole or not at all. What
    a first run goes on with was read back, so that a second run goes on with the same.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.computed: list[str] = []
        self.found: list[str] = []
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
        place = self.folder / f"{name}-{_digest(settings)}"
        if place.is_dir():
            self.found.append(name)
            return read(place)
        piece = compute()
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".unfinished-") as unfinished:
            part = Path(unfinished, "piece")
            part.mkdir()
            write(piece, part)
            try:
                part.rename(place)
            except OSError:
                # Another run in the same folder may have been faster.
                if not place.is_dir():
                    raise
        self.computed.append(name)
        return read(place)

    def result(self, cls, name: str, settings: dict, compute: Callable[[], T]) -> T:
        """Remember an evaluation's result."""
        return self.remember(name, settings, compute, write=_write_result, read=cls.load)

    def facts(self, name: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """Remember what json can hold."""
        return self.remember(name, settings, compute, write=_write_facts, read=_read_facts)


def _digest(settings: dict) -> str:
    text = json.dumps({"skmer": __version__, **settings}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write_result(result, folder: Path) -> None:
    """Write what intervals and figures need: the probabilities stay out."""
    predictions = result.predictions
    kept = [name for name in predictions if not str(name).startswith("proba_")]
    result.scores.to_csv(folder / "scores.csv", index=False)
    predictions[kept].to_csv(folder / "predictions.csv", index=False)
    (folder / "manifest.json").write_text(to_json(result.manifest), encoding="utf-8")


def _write_facts(facts: dict, folder: Path) -> None:
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _read_facts(folder: Path) -> dict:
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))

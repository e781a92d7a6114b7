"""What every piece of a reproduction is computed with."""

from dataclasses import dataclass

from skmer.studies.koh2021._editions import Budget
from skmer.studies.koh2021._features import FeatureExtractor
from skmer.studies.koh2021._store import PieceStore


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

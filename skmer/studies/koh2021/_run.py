"""What every piece of a reproduction is computed with."""

from dataclasses import dataclass

from skmer.studies.koh2021._editions import Effort
from skmer.studies.koh2021._embeddings import Extractor
from skmer.studies.koh2021._store import Store


@dataclass(frozen=True)
class Run:
    """Where pieces are kept, what embeds the clips, and where random numbers come from."""

    store: Store
    extractor: Extractor
    seed: int
    n_jobs: int | None
    verbose: bool

    @property
    def effort(self) -> Effort:
        """How much is computed."""
        return self.extractor.effort

    def say(self, text: str) -> None:
        """Tell on standard error what comes next."""
        from rich.console import Console

        Console(stderr=True, quiet=not self.verbose, highlight=False).print(text)

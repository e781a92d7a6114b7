"""A progress bar in the form that pooch wants."""


class DownloadBar:
    """Bytes, speed and time left on standard error, where that is a terminal."""

    def __init__(self, description: str):
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(description, total=None)

    def __enter__(self):
        self._progress.start()
        return self

    def __exit__(self, *_):
        self._progress.stop()

    @property
    def total(self) -> float | None:
        """Bytes to come; pooch sets it when the server has said so."""
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, total: int) -> None:
        self._progress.update(self._task, total=total or None)

    def update(self, n: int) -> None:
        """Count `n` more bytes."""
        self._progress.advance(self._task, n)

    def reset(self) -> None:
        """Count from zero again."""
        self._progress.reset(self._task, total=self.total)

    def close(self) -> None:
        """Leave the last state standing."""
        self._progress.stop()

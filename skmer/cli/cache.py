"""`skmer cache`: the folder of embeddings that --cache names."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import examples, expand, number
from skmer.exceptions import InputError

app = typer.Typer(
    help="Show and bound a cache of embeddings.",
    epilog=examples("skmer cache size cache", "skmer cache prune cache --max-bytes 1000000000"),
)
Folder = Annotated[
    Path, typer.Argument(metavar="DIR", parser=expand, help="What --cache or memory= was.")
]


@app.command(epilog=examples("skmer cache size cache", "skmer cache size ~/embeddings"))
def size(folder: Folder) -> None:
    """Show how many embeddings are in a cache, and their bytes."""
    cache = _open(folder)
    _terminal.show(f"{len(cache)} entries, {cache.size()} bytes in {cache.folder}")


@app.command(
    epilog=examples("skmer cache prune cache", "skmer cache prune cache --max-bytes 1000000000")
)
def prune(
    folder: Folder,
    max_bytes: Annotated[
        int, typer.Option(metavar="N", parser=number(int, 0), help="Bytes that may stay.")
    ] = 0,
) -> None:
    """Remove the oldest embeddings, by default all."""
    cache = _open(folder)
    _terminal.show(f"{cache.prune(max_bytes)} entries removed, {cache.size()} bytes left")


def _open(folder: Path):
    from skmer.utils import ClipCache

    if not folder.is_dir():
        raise InputError(f"There is no cache folder '{folder}'.")
    return ClipCache(folder)

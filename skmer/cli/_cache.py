"""`skmer cache`: the folder of embeddings that --cache names."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Show and bound a cache of embeddings.")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="What --cache or memory= was.")]


@app.command()
def size(folder: Folder) -> None:
    """Show how many embeddings are in a cache, and their bytes."""
    cache = _open(folder)
    typer.echo(f"{len(cache)} entries, {cache.size()} bytes in {cache.folder}")


@app.command()
def prune(
    folder: Folder,
    max_bytes: Annotated[int, typer.Option(metavar="N", min=0, help="Bytes that may stay.")] = 0,
) -> None:
    """Remove the oldest embeddings, by default all."""
    cache = _open(folder)
    typer.echo(f"{cache.prune(max_bytes)} entries removed, {cache.size()} bytes left")


def _open(folder: Path):
    from skmer.utils import ClipCache

    if not folder.is_dir():
        raise FileNotFoundError(f"There is no cache folder '{folder}'.")
    return ClipCache(folder)

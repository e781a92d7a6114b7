"""The commands by their names; each is one line here and one file beside this one."""

from typing import Annotated

import typer

from skmer._version import __version__
from skmer.cli import _cache, _datasets, _weights
from skmer.cli._evaluate import evaluate
from skmer.cli._extract import extract
from skmer.cli._predict import predict
from skmer.cli._reproduce import reproduce

app = typer.Typer(
    name="skmer",
    help="Deep audio embeddings, classifiers, and honest evaluation of music emotion recognition.",
    add_completion=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skmer {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


app.command()(evaluate)
app.command()(extract)
app.command()(predict)
app.command()(reproduce)
app.add_typer(_weights.app, name="weights")
app.add_typer(_datasets.app, name="datasets")
app.add_typer(_cache.app, name="cache")

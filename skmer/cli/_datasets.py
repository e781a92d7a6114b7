"""`skmer datasets`: what there is, having it, and checking it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, fetch and validate the datasets.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `skmer datasets list` has it.")]
DataHome = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where datasets are; else $SKMER_DATA.")
]


@app.command("list")
def list_datasets() -> None:
    """List the datasets that have a name."""
    from rich.console import Console
    from rich.table import Table

    from skmer.datasets import list_datasets

    table = Table("name", "clips", "classes", "groups", "licence", "to be had")
    for row in list_datasets().itertuples():
        classes = " ".join(f"{name} {count}" for name, count in row.classes.items())
        how = "generated" if not row.url else "fetch" if row.downloadable else row.url
        table.add_row(row.name, str(row.clips), classes, row.groups, row.licence, how)
    Console().print(table)


@app.command()
def fetch(name: Name, data_home: DataHome = None) -> None:
    """Put a dataset in place: download it, or say where it is to be had."""
    from skmer.datasets import get_data_home, load_dataset

    clips = load_dataset(name, data_home=data_home)
    typer.echo(f"{name}: {len(clips.data)} clips below {get_data_home(data_home)}")


@app.command()
def validate(name: Name, data_home: DataHome = None) -> None:
    """Compare the files of a dataset with what was published; the status is 1 where they differ."""
    from skmer.datasets import validate_dataset

    report = validate_dataset(name, data_home=data_home, verbose=True)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(1)

"""`skmer datasets`: what there is, having it, and checking it."""

from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import DataHome, examples

app = typer.Typer(
    help="List, fetch and validate the datasets.",
    epilog=examples("skmer datasets list", "skmer datasets fetch ravdess-song"),
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `skmer datasets list` has it.")]


@app.command("list", epilog=examples("skmer datasets list", "skmer datasets list | sort"))
def list_datasets() -> None:
    """List the datasets that have a name."""
    from skmer.datasets import list_datasets

    rows = []
    for row in list_datasets().itertuples():
        classes = " ".join(f"{name} {count}" for name, count in row.classes.items())
        how = "made here" if not row.url else "fetch" if row.downloadable else "by hand"
        classes = classes or "Q1 to Q4, how many of each is not published"
        rows.append((row.name, row.clips, how, f"{row.groups}; {classes}; {row.licence}"))
    _terminal.show_table(("name", "clips", "to be had", "groups; classes; licence"), rows)


@app.command(
    epilog=examples("skmer datasets fetch toy", "skmer datasets fetch emomusic --data-home data")
)
def fetch(name: Name, data_home: DataHome = None) -> None:
    """Put a dataset in place: download it, or say where it is to be had."""
    from skmer.datasets import get_data_home, load_dataset

    clips = load_dataset(name, data_home=data_home)
    _terminal.say(f"{name}: {len(clips.data)} clips below {get_data_home(data_home)}")


@app.command(
    epilog=examples("skmer datasets validate toy", "skmer datasets validate 4q --data-home data")
)
def validate(name: Name, data_home: DataHome = None) -> None:
    """Compare the files of a dataset with what was published; the status is 1 where they differ."""
    from skmer.datasets import validate_dataset

    report = validate_dataset(name, data_home=data_home, verbose=_terminal.show_progress())
    _terminal.show(str(report))
    if not report.ok:
        raise typer.Exit(1)

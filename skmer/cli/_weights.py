"""`skmer weights`: the published weights on this machine."""

from typing import Annotated

import typer

app = typer.Typer(help="List, fetch and verify the published weights of the networks.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `skmer weights list` has it.")]


@app.command("list")
def list_weights() -> None:
    """List the published weights, and whether they are here."""
    from rich.console import Console
    from rich.table import Table

    from skmer.embeddings.weights import list_weights

    table = Table("name", "state", "size", "licence", "file")
    rows = list_weights()
    for row in rows:
        size = "" if row.size is None else f"{row.size / 1e6:.1f} MB"
        table.add_row(row.name, row.state, size, row.licence, row.file)
    Console().print(table)
    for folder in dict.fromkeys(row.path.parent for row in rows):
        typer.echo(f"The files are, or belong, in {folder}")


@app.command()
def fetch(name: Name) -> None:
    """Download one of them, unless a good copy is here already."""
    from skmer.embeddings.weights import fetch_weights

    typer.echo(f"{name} is in {fetch_weights(name)}")


@app.command()
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="By default all that are here.")
    ] = None,
) -> None:
    """Check files against what was published: checksums, arrays, and reference values.

    The status is 1 where a check fails, and where a file that was named is missing.
    """
    from skmer.embeddings._verify import verify_weights
    from skmer.embeddings.weights import list_weights

    names = [row.name for row in list_weights() if row.present] if name is None else [name]
    if not names:
        typer.echo("No weights are on this machine to verify.")
    reports = [verify_weights(each) for each in names]
    for report in reports:
        typer.echo(f"{report.name}: {report.state}, {report.path}")
        for check in report.checks:
            typer.echo(f"  {'passed' if check.passed else 'FAILED'}: {check.what}: {check.detail}")
    if not all(report.passed for report in reports):
        raise typer.Exit(1)

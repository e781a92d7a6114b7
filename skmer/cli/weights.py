"""`skmer weights`: the published weights on this machine."""

from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import examples

app = typer.Typer(
    help="List, fetch and verify the published weights of the networks.",
    epilog=examples("skmer weights list", "skmer weights fetch vggish"),
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `skmer weights list` has it.")]


@app.command("list", epilog=examples("skmer weights list", "skmer weights list | grep l3"))
def list_weights() -> None:
    """List the published weights, and whether they are here."""
    from skmer.embeddings import list_weights

    rows = list_weights()
    _terminal.show_table(
        ("name", "state", "size", "licence and file"),
        (
            (
                row.name,
                row.state,
                "" if row.size is None else f"{row.size / 1e6:.1f} MB",
                f"{row.licence}; {row.file}",
            )
            for row in rows
        ),
    )
    for folder in dict.fromkeys(row.path.parent for row in rows):
        _terminal.say(f"The files are, or belong, in {folder}")


@app.command(
    epilog=examples("skmer weights fetch vggish", "skmer weights fetch openl3-mel256-music")
)
def fetch(name: Name) -> None:
    """Download one of them, unless a good copy is here already."""
    from skmer.embeddings import fetch_weights

    _terminal.show(f"{name} is in {fetch_weights(name)}")


@app.command(epilog=examples("skmer weights verify", "skmer weights verify vggish"))
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="By default all that are here.")
    ] = None,
) -> None:
    """Check files against what was published: checksums, arrays, and reference values.

    The status is 1 where a check fails, and where a file that was named is missing.
    """
    from skmer.embeddings import list_weights, verify_weights

    names = [row.name for row in list_weights() if row.present] if name is None else [name]
    if not names:
        _terminal.show("No weights are on this machine to verify.")
    reports = [verify_weights(each) for each in names]
    for report in reports:
        _terminal.show(f"{report.name}: {report.state}, {report.path}")
        for check in report.checks:
            _terminal.show(
                f"  {'passed' if check.passed else 'FAILED'}: {check.what}: {check.detail}"
            )
    if not all(report.passed for report in reports):
        raise typer.Exit(1)

"""`skmer weights`, `skmer datasets` and `skmer cache`: what is on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from skmer.cli import terminal as _terminal
from skmer.cli.options import DataHome, examples, expand
from skmer.exceptions import InputError

weights = typer.Typer(
    help="List, fetch and verify the published weights of the networks.",
    epilog=examples("skmer weights list", "skmer weights fetch vggish"),
)
WeightsName = Annotated[str, typer.Argument(metavar="NAME", help="As `skmer weights list` has it.")]


@weights.command("list", epilog=examples("skmer weights list", "skmer weights list | grep l3"))
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
        _terminal.note(f"The files are, or belong, in {folder}")


@weights.command(
    "fetch", epilog=examples("skmer weights fetch vggish", "skmer weights fetch musicnn-msd")
)
def fetch_weights(name: WeightsName) -> None:
    """Download one of them, unless a good copy is here already."""
    from skmer.embeddings import fetch_weights

    _terminal.show(f"{name} is in {fetch_weights(name)}")


@weights.command("verify", epilog=examples("skmer weights verify", "skmer weights verify vggish"))
def verify_weights(
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


datasets = typer.Typer(
    help="List, fetch and validate the datasets.",
    epilog=examples("skmer datasets list", "skmer datasets fetch ravdess-song"),
)
DatasetName = Annotated[
    str, typer.Argument(metavar="NAME", help="As `skmer datasets list` has it.")
]


@datasets.command("list", epilog=examples("skmer datasets list", "skmer datasets list | sort"))
def list_datasets() -> None:
    """List the datasets that have a name."""
    from skmer.datasets import list_datasets

    rows = []
    for row in list_datasets().itertuples():
        classes = " ".join(f"{name} {count}" for name, count in row.classes.items())
        how = "made here" if not row.url else "fetch" if row.downloadable else "by hand"
        rows.append(
            (row.name, row.clips, how, "; ".join(filter(None, (row.groups, classes, row.licence))))
        )
    _terminal.show_table(("name", "clips", "source", "groups; classes; licence"), rows)


@datasets.command(
    "fetch",
    epilog=examples("skmer datasets fetch toy", "skmer datasets fetch emomusic --data-home data"),
)
def fetch_dataset(name: DatasetName, data_home: DataHome = None) -> None:
    """Put a dataset in place: download it, or print where it can be had."""
    from skmer.datasets import get_data_home, load_dataset

    clips = load_dataset(name, data_home=data_home)
    _terminal.note(f"{name}: {len(clips.data)} clips below {get_data_home(data_home)}")


@datasets.command(
    "validate",
    epilog=examples("skmer datasets validate toy", "skmer datasets validate 4q --data-home data"),
)
def validate_dataset(name: DatasetName, data_home: DataHome = None) -> None:
    """Compare the files of a dataset with what was published; the status is 1 where they differ."""
    from skmer.datasets import validate_dataset

    report = validate_dataset(name, data_home=data_home, verbose=_terminal.show_progress())
    _terminal.show(str(report))
    if not report.ok:
        raise typer.Exit(1)


cache = typer.Typer(
    help="Show, bound and clear the cache of embeddings.",
    epilog=examples("skmer cache show", "skmer cache clear"),
    invoke_without_command=True,
)
Folder = Annotated[
    Path | None,
    typer.Argument(metavar="[DIR]", parser=expand, help="What --cache was; else the user's."),
]


@cache.callback()
def _cache(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        cache_show()


@cache.command("show", epilog=examples("skmer cache show", "skmer cache show ~/embeddings"))
def cache_show(folder: Folder = None) -> None:
    """Show where the cache is, how much is in it, and how large it may become."""
    from skmer.utils.cache import ClipCache, default_cache, default_max_bytes

    opened = ClipCache(default_cache() if folder is None else folder)
    bound = "" if folder else f" of at most {default_max_bytes() / 1e9:.1f} GB"
    _terminal.show(f"{opened.folder}")
    _terminal.show(f"{len(opened)} embeddings, {opened.size() / 1e9:.3f} GB{bound}")
    if folder is None:
        _terminal.note(
            "The oldest go first. SKMER_CACHE names another folder, SKMER_CACHE_BYTES another size."
        )


@cache.command("size", epilog=examples("skmer cache size", "skmer cache size ~/embeddings"))
def cache_size(folder: Folder = None) -> None:
    """Show how many embeddings are in a cache, and their bytes."""
    opened = _open_cache(folder)
    _terminal.show(f"{len(opened)} entries, {opened.size()} bytes in {opened.folder}")


@cache.command(
    "prune",
    epilog=examples(
        "skmer cache prune --max-bytes 1000000000", "skmer cache prune DIR --max-bytes 0"
    ),
)
def prune_cache(
    folder: Folder = None,
    max_bytes: Annotated[int, typer.Option(metavar="N", min=0, help="Bytes that may stay.")] = 0,
) -> None:
    """Remove the oldest embeddings, by default all."""
    opened = _open_cache(folder)
    _terminal.show(f"{opened.prune(max_bytes)} entries removed, {opened.size()} bytes left")


@cache.command("clear", epilog=examples("skmer cache clear", "skmer cache clear ~/embeddings"))
def clear_cache(folder: Folder = None) -> None:
    """Remove all embeddings."""
    prune_cache(folder, 0)


def _open_cache(folder: Path | None):
    from skmer.utils.cache import ClipCache, default_cache

    if folder is not None and not folder.is_dir():
        raise InputError(f"There is no cache folder '{folder}'.")
    return ClipCache(default_cache() if folder is None else folder)

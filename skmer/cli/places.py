"""`skmer weights`, `skmer datasets` and `skmer cache`: what is on this machine."""

from pathlib import Path

import typer

from skmer.cli import terminal
from skmer.cli.options import NotNegative, command, examples
from skmer.exceptions import InputError

weights = typer.Typer(
    help="List, fetch and verify the published weights of the networks.",
    epilog=examples("$ skmer weights list\n$ skmer weights fetch vggish"),
)


@command(weights, "list")
def list_weights() -> None:
    """List the published weights, and whether they are here.

    Examples
    --------
    $ skmer weights list
    $ skmer weights list | grep l3
    """
    from skmer.embeddings import list_weights

    rows = list_weights()
    sizes = ("" if row.size is None else f"{row.size / 1e6:.1f} MB" for row in rows)
    cells = [
        (row.name, row.state, size, f"{row.licence}; {row.file}") for row, size in zip(rows, sizes)
    ]
    terminal.show_table(("name", "state", "size", "licence and file"), cells)
    for folder in dict.fromkeys(row.path.parent for row in rows):
        terminal.note(f"The files are, or belong, in {folder}")


@command(weights, "fetch")
def fetch_weights(name: str) -> None:
    """Download one of them, unless a good copy is here already.

    Parameters
    ----------
    name : NAME
        As `skmer weights list` has it.

    Examples
    --------
    $ skmer weights fetch vggish
    $ skmer weights fetch musicnn-msd
    """
    from skmer.embeddings import fetch_weights

    terminal.show(f"{name} is in {fetch_weights(name)}")


@command(weights, "verify")
def verify_weights(name: str | None = None) -> int:
    """Check files against what was published: checksums, arrays, and reference values.

    The status is 1 where a check fails, and where a file that was named is missing.

    Parameters
    ----------
    name : [NAME]
        By default all that are here.

    Examples
    --------
    $ skmer weights verify
    $ skmer weights verify vggish
    """
    from skmer.embeddings import list_weights, verify_weights

    names = [row.name for row in list_weights() if row.present] if name is None else [name]
    if not names:
        terminal.show("No weights are on this machine to verify.")
    reports = [verify_weights(each) for each in names]
    for report in reports:
        terminal.show(f"{report.name}: {report.state}, {report.path}")
        for check in report.checks:
            outcome = "passed" if check.passed else "FAILED"
            terminal.show(f"  {outcome}: {check.what}: {check.detail}")
    return int(not all(report.passed for report in reports))


datasets = typer.Typer(
    help="List, fetch and validate the datasets.",
    epilog=examples("$ skmer datasets list\n$ skmer datasets fetch ravdess-song"),
)


@command(datasets, "list")
def list_datasets() -> None:
    """List the datasets that have a name.

    Examples
    --------
    $ skmer datasets list
    $ skmer datasets list | sort
    """
    from skmer.datasets import list_datasets

    rows = []
    for row in list_datasets().itertuples():
        classes = " ".join(f"{name} {count}" for name, count in row.classes.items())
        how = "made here" if not row.url else "fetch" if row.downloadable else "by hand"
        facts = "; ".join(filter(None, (row.groups, classes, row.licence)))
        rows.append((row.name, row.clips, how, facts))
    terminal.show_table(("name", "clips", "source", "groups; classes; licence"), rows)


@command(datasets, "fetch")
def fetch_dataset(name: str, *, data_home: Path | None = None) -> None:
    """Put a dataset in place: download it, or print where it can be had.

    Parameters
    ----------
    name : NAME
        As `skmer datasets list` has it.

    Examples
    --------
    $ skmer datasets fetch toy
    $ skmer datasets fetch emomusic --data-home data
    """
    from skmer.datasets import get_data_home, load_dataset

    clips = load_dataset(name, data_home=data_home)
    found = terminal.counted(len(clips.data), "clip")
    terminal.note(f"{name}: {found} below {get_data_home(data_home)}")


@command(datasets, "validate")
def validate_dataset(name: str, *, data_home: Path | None = None) -> int:
    """Compare the files of a dataset with what was published; the status is 1 where they differ.

    Parameters
    ----------
    name : NAME
        As `skmer datasets list` has it.

    Examples
    --------
    $ skmer datasets validate toy
    $ skmer datasets validate 4q --data-home data
    """
    from skmer.datasets import validate_dataset

    report = validate_dataset(name, data_home=data_home, verbose=terminal.show_progress())
    terminal.show(str(report))
    return int(not report.ok)


cache = typer.Typer(
    help="Show, bound and clear the cache of embeddings.",
    epilog=examples("$ skmer cache show\n$ skmer cache clear"),
    invoke_without_command=True,
)


@cache.callback()
def _cache(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        cache_show()


@command(cache, "show")
def cache_show(folder: Path | None = None) -> None:
    """Show where the cache is, how much is in it, and how large it may become.

    Parameters
    ----------
    folder : [DIR]
        What --cache was; else the user's.

    Examples
    --------
    $ skmer cache show
    $ skmer cache show ~/embeddings
    """
    from skmer.utils.cache import default_max_bytes

    opened = _open_cache(folder)
    bound = "" if folder else f" of at most {default_max_bytes() / 1e9:.1f} GB"
    terminal.show(f"{opened.folder}")
    terminal.show(
        f"{terminal.counted(len(opened), 'embedding')}, {opened.size() / 1e9:.3f} GB{bound}"
    )
    if folder is None:
        terminal.note(
            "The oldest go first. SKMER_CACHE names another folder, SKMER_CACHE_BYTES another size."
        )


@command(cache, "size")
def cache_size(folder: Path | None = None) -> None:
    """Show how many embeddings are in a cache, and their bytes.

    Parameters
    ----------
    folder : [DIR]
        What --cache was; else the user's.

    Examples
    --------
    $ skmer cache size
    $ skmer cache size ~/embeddings
    """
    opened = _open_cache(folder)
    found = terminal.counted(len(opened), "entry", "entries")
    terminal.show(f"{found}, {opened.size()} bytes in {opened.folder}")


@command(cache, "prune")
def prune_cache(folder: Path | None = None, *, max_bytes: NotNegative = 0) -> None:
    """Remove the oldest embeddings, by default all.

    Parameters
    ----------
    folder : [DIR]
        What --cache was; else the user's.
    max_bytes : N
        Bytes that may stay.

    Examples
    --------
    $ skmer cache prune --max-bytes 1000000000
    $ skmer cache prune DIR --max-bytes 0
    """
    opened = _open_cache(folder)
    removed = terminal.counted(opened.prune(max_bytes), "entry", "entries")
    terminal.show(f"{removed} removed, {opened.size()} bytes left")


@command(cache, "clear")
def clear_cache(folder: Path | None = None) -> None:
    """Remove all embeddings.

    Parameters
    ----------
    folder : [DIR]
        What --cache was; else the user's.

    Examples
    --------
    $ skmer cache clear
    $ skmer cache clear ~/embeddings
    """
    prune_cache(folder)


def _open_cache(folder: Path | None):
    from skmer.utils.cache import ClipCache, default_cache

    if folder is not None and not folder.is_dir():
        raise InputError(f"There is no cache folder '{folder}'.")
    return ClipCache(default_cache() if folder is None else folder)

"""The commands by their names; each is one line here and one file beside this one."""

from typing import Annotated

import typer

from skmer import __version__
from skmer.cli import _terminal
from skmer.cli._options import examples
from skmer.cli.commands import _cache, _datasets, _weights
from skmer.cli.commands._evaluate import evaluate
from skmer.cli.commands._extract import extract
from skmer.cli.commands._predict import predict
from skmer.cli.commands._reproduce import reproduce
from skmer.cli.commands._train import train

_FIRST = """\
skmer turns music and singing into embeddings, and recognises emotion in them.

Try first:
  skmer evaluate toy --features mfcc   a small dataset, made here in a minute
  skmer evaluate FOLDER                your own clips, in one folder per label
  skmer train FOLDER --out emotions.skmer
                                       a model of them, to keep
  skmer predict emotions.skmer SONG    the emotion of a new song
  skmer extract FOLDER --features mfcc --out songs.csv
                                       a table of numbers, one row a clip
  skmer weights list                   the networks, and which are ready to use

See also 'skmer --help' and 'skmer COMMAND --help'."""

app = typer.Typer(
    name="skmer",
    help="Deep audio embeddings, classifiers, and honest evaluation of music emotion recognition.",
    epilog=examples("skmer evaluate toy --features mfcc", "skmer evaluate --help"),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        _terminal.show(f"skmer {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="Tell of errors and warnings only; for every command."),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show where an error comes from; for every command, as is SKMER_DEBUG=1.",
        ),
    ] = False,
) -> None:
    # What --quiet and --debug do is done before: they may stand behind the command's name too.
    if context.invoked_subcommand is None:
        _terminal.show(_FIRST)


app.command(
    short_help="Score features and classifiers on a dataset; write a report.",
    epilog=examples(
        "skmer evaluate toy --features mfcc --protocol grouped,koh2021",
        "skmer evaluate songs.csv --classifiers svm --cache cache --out results",
    ),
)(evaluate)
app.command(
    short_help="Write the embeddings of audio files to a table.",
    epilog=examples(
        "skmer extract songs/ --features musicnn --out songs.parquet",
        "skmer extract songs.csv --features l3,mfcc --hop-size 0.1 --out songs.csv",
    ),
)(extract)
app.command(
    short_help="Fit a model to a dataset and keep it, with its scores.",
    epilog=examples(
        "skmer train songs/ --features musicnn --out emotions.skmer",
        "skmer train toy --features mfcc --out toy.skmer",
    ),
)(train)
app.command(
    short_help="Say the emotion of new clips, by a saved model.",
    epilog=examples(
        "skmer predict emotions.skmer song.mp3",
        "skmer predict emotions.skmer songs/ --frames --out moments.parquet",
    ),
)(predict)
app.command(
    short_help="Do a published study again, and say what of it holds.",
    epilog=examples(
        "skmer reproduce koh2021 --data-home data --quick",
        "skmer reproduce koh2021 --features mfcc --classifiers svm,rf --jobs -1",
    ),
)(reproduce)
app.add_typer(_weights.app, name="weights")
app.add_typer(_datasets.app, name="datasets")
app.add_typer(_cache.app, name="cache")

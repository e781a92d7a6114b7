"""`skmer train`: a model of one feature and one classifier, kept with what is known of it."""

import shlex
from pathlib import Path

import typer

from skmer.cli import options, terminal
from skmer.exceptions import InputError


def train(
    context: typer.Context,
    *,
    out: Path,
    features: str = options.DEFAULT_FEATURE,
    classifiers: str | None = None,
    clips: options.ClipOptions,
    fits: options.FitOptions,
) -> None:
    """Fit a model to a dataset and keep it, with its scores.

    A feature is evaluated with a classifier, and both are fitted to all clips. The file has a card
    with the cross-validated scores, the audit and the settings.

    Parameters
    ----------
    out : MODEL
        The file to write, as emotions.skmer.
    features : NAME
        One of {FEATURES}.
    classifiers : NAME
        One of {CLASSIFIERS}, by default svm; for numbers one of svr, ridge.

    Examples
    --------
    $ skmer train songs/ --features musicnn --out emotions.skmer
    $ skmer train toy --features mfcc --out toy.skmer
    """
    from skmer.embeddings.registry import split_name
    from skmer.models import save_model
    from skmer.utils.files import check_output_file

    numbers = clips.target not in ("label", "tags")
    # The other regressor takes hours on tens of thousands of moments.
    model = classifiers or ("ridge" if clips.frames else "svr" if numbers else "svm")
    if len(options.split_features(features, fits.weights)) > 1 or "," in model:
        raise InputError("--features and --classifiers must be one name each.")
    if out.suffix == ".md":
        raise InputError(f"--out must not end in .md, as the model's card does. Got '{out}'.")
    for path in (out, out.with_suffix(".md")):
        check_output_file(path)
    loaded = options.load_clips(clips)
    data, _, targets = loaded
    [apart] = options.choose_protocol(None, clips.dataset, data)
    result = fits.evaluate([features], [model], clips, loaded, protocol=apart)
    feature, kind = split_name(features)[0], "regressor" if numbers else "classifier"
    pipeline = result.fit(feature=feature, **{kind: model})
    card = {"name": f"{feature} + {model} on {Path(clips.dataset).name}", **_describe(result)}
    card |= {"command": shlex.join(["skmer", *context.obj])}
    card |= {"targets": targets} if targets else {}
    path = save_model(pipeline, out, card=card)
    headline = result.metrics[0]
    terminal.warn_of_findings(result.manifest)
    for row in card["scores"]:
        what = f"{row['target']}, {headline}" if "target" in row else headline
        between = f"{row['low']:.2f} to {row['high']:.2f}"
        terminal.note(f"{what} on held-out clips ({apart}): {row[headline]:.2f} ({between})")
    terminal.note(f"The model is in {path}, and its card in {path.with_suffix('.md')}")


def _describe(result) -> dict:
    """Return what the card of a model that was evaluated alone contains."""
    headline = result.metrics[0]
    columns = [name for name in (headline, "low", "high", "target") if name in result.intervals()]
    manifest = result.manifest
    audit = [
        f"{finding['severity']}: {finding['message']}"
        for report in (manifest["audit"] or {}).values()
        for finding in report["findings"]
    ]
    (protocol,) = manifest["protocols"]
    n_splits = len(manifest["protocols"][protocol]["splits"])
    n_groups = manifest["dataset"].get("n_groups")
    units = f"{n_groups} groups" if n_groups else "clips"
    card = {
        "scores": result.intervals()[columns].to_dict("records"),
        "protocol": protocol,
        "interval": f"low to high: 95 %, by bootstrap over {units}, of {n_splits} splits",
        "data": manifest["dataset"],
        "audit": audit or ["nothing found"],
    }
    if not n_groups:
        card["groups"] = (
            "none could be determined: clips of one artist may be on both sides of a split, which "
            "makes the scores too high for unheard artists"
        )
    return card


_SUFFIXES = (".csv", ".json", ".parquet")


def predict(
    model: Path,
    inputs: list[str],
    *,
    out: options.UrlOption = None,
    force: bool = False,
    frames: bool = False,
    strict: bool = False,
    trusted: list[str] | None = None,
    trust_remote_code: bool = False,
    cache: Path | None = None,
    jobs: int | None = None,
) -> int:
    """Predict the emotion of new clips by a saved model.

    What comes is label and probabilities, tags, or arousal and valence.

    Parameters
    ----------
    model : MODEL
        A file that skmer train or save_model wrote.
    inputs : INPUT...
        Audio files, URLs, .tar archives, folders, patterns, or .csv files with a column path.
    out : FILE
        Where to write: .csv, .json or .parquet; else csv to the screen.
    force : flag
        Replace a file by one of fewer clips.
    frames : flag
        One row a moment, with its time, instead of a clip.
    strict : flag
        A clip that is silent, cut or too short is an error, and any error is status 1.
    trusted : NAME
        A class or function, as my_package.Net, that a model holds and that may be imported and run;
        give it once for each.

    Examples
    --------
    $ skmer predict emotions.skmer song.mp3
    $ skmer predict emotions.skmer songs/ --frames --out moments.parquet
    """
    if out is not None and not out.endswith(_SUFFIXES):
        raise InputError(f"--out must end in {', '.join(_SUFFIXES)}. Got '{out}'.")
    with terminal.fast_imports():
        from skmer.models import load_model, read_card, write_predictions
        from skmer.models.predict import PredictionFile, Predictor

        card = read_card(model)
        # Of a model of numbers over time: the seconds between two of them.
        step = card["data"].get("step") if isinstance(card.get("data"), dict) else None
        clips, left_out = _find_inputs(inputs)
        pipeline = load_model(model, trusted=trusted or (), trust_remote_code=trust_remote_code)
    settings: dict = {
        "frames": frames or step is not None,
        "hop_size": step,
        "strict": strict,
        "memory": cache,
        "n_jobs": jobs,
        "verbose": terminal.show_progress(),
    }
    done: Predictor | PredictionFile
    if out is None:
        done = Predictor(pipeline, **settings)
        for at, batch in enumerate(done.stream(clips, 1024)):
            terminal.show(batch.to_csv(header=not at).rstrip("\n"))
    else:
        done = write_predictions(pipeline, clips, out, force=force, **settings)
        terminal.note(f"{done.path} has {terminal.counted(done.n_rows, 'row')}")
    for line in left_out:
        terminal.note(line)
    if done.n_failed:
        terminal.warn(f"Clips that could not be read, see the column 'error': {done.n_failed}.")
    if done.n_noted:
        terminal.warn(f"Rows whose prediction is doubtful, see the column 'notes': {done.n_noted}.")
    return int(done.n_failed == done.n_rows or (strict and done.n_failed > 0))


def _find_inputs(inputs: list[str]) -> tuple:
    """Return the clips of the inputs, or the one table that extract wrote; and what is left out."""
    from skmer.datasets.own import list_clips
    from skmer.models.predict import is_extracted

    extracted = [text for text in inputs if is_extracted(text)]
    if extracted and len(inputs) > 1:
        raise InputError(
            f"A table that skmer extract wrote must be the only INPUT. Got '{extracted[0]}' among "
            f"{len(inputs)}."
        )
    return (extracted[0], []) if extracted else list_clips(inputs)

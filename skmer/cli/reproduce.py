"""`skmer reproduce`: a published study done again."""

from pathlib import Path

from skmer.cli import options, terminal
from skmer.exceptions import InputError


def reproduce(
    study: str,
    *,
    data_home: Path | None = None,
    quick: bool = False,
    features: str = "l3,vggish,mfcc",
    classifiers: str | None = None,
    weights: str = "pretrained",
    cache: Path | None = None,
    time: options.Time = None,
    jobs: int = -1,
    seed: options.Seed = 0,
    out: Path | None = None,
) -> int:
    """Do a published study again, and report what of it holds.

    The datasets must be in place. The work goes round: one repeat of all, then the next. Ctrl-C and
    --time end it with a report of the rounds so far. What is finished is kept in the output folder,
    and a second run goes on.

    Parameters
    ----------
    study : STUDY
        koh2021.
    quick : flag
        Compute far less; the report lists what is less.
    features : NAMES
        Of l3, vggish, mfcc, and musicnn, which the study did not have.
    classifiers : NAMES
        Of {CLASSIFIERS}; by default all.
    time : TIME
        End after so long, as 30m or 2h, with a report of the rounds so far; the same command goes
        on from there.
    out : DIR
        Where results go; else skmer-results/STUDY.

    Examples
    --------
    $ skmer reproduce koh2021 --data-home data --quick
    $ skmer reproduce koh2021 --features mfcc --classifiers svm,rf --jobs 2
    """
    from skmer.classifiers import CLASSIFIERS
    from skmer.studies import reproduce_koh2021

    if study != "koh2021":
        raise InputError(f"STUDY must be koh2021. Got {study!r}.")
    folder = out or Path("skmer-results", study)
    found = reproduce_koh2021(
        folder,
        data_home=data_home,
        quick=quick,
        features=options.split_features(features, weights),
        classifiers=options.split_names(classifiers) if classifiers else CLASSIFIERS,
        weights=options.parse_weights(weights),
        random_state=seed,
        memory=cache,
        n_jobs=jobs,
        time_limit=time,
        on_interrupt="return",
        verbose=terminal.show_progress(),
    )
    for name, reason in found.left_out.items():
        terminal.warn(f"{name} was left out: {reason}")
    if found.ended_by is not None:
        terminal.warn(f"{found.estimate_rest(jobs)} The same command goes on from here.")
    terminal.note(f"Pieces computed: {len(found.computed)}; report.html is in {folder}")
    return 130 if found.ended_by == "interrupt" else 0

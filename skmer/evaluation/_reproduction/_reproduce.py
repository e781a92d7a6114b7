"""The whole study, piece by piece, each remembered when it is finished."""

from pathlib import Path

from skmer.evaluation._evaluate import CLASSIFIERS
from skmer.evaluation._features import FEATURES, check_names
from skmer.evaluation._files import check_output_folder
from skmer.evaluation._reproduction._cells import evaluate_cell, join_results, list_cells
from skmer.evaluation._reproduction._checks import (
    audit_files,
    audit_labels,
    audit_splits,
    check_reports,
)
from skmer.evaluation._reproduction._clips import find_clips
from skmer.evaluation._reproduction._editions import EDITIONS, FAITHFUL, FULL, QUICK
from skmer.evaluation._reproduction._embeddings import LARGE, Extractor, make_features
from skmer.evaluation._reproduction._maps import map_singers
from skmer.evaluation._reproduction._regressions import CHOI, find_published_features, regress
from skmer.evaluation._reproduction._reproduction import Reproduction
from skmer.evaluation._reproduction._store import Store
from skmer.exceptions import DatasetNotFoundError, WeightsNotFoundError


def reproduce_koh2021(
    out,
    *,
    data_home=None,
    quick: bool = False,
    features=FEATURES,
    classifiers=CLASSIFIERS,
    weights="pretrained",
    random_state: int = 0,
    memory=None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Reproduction:
    """Do the study of Koh and Dubnov (2021) again, with whichever of its datasets are in place.

    Two editions stand side by side. The faithful one has the study's settings, its number of
    clips, and its random splits; the defensible one scales and searches inside the training part,
    uses all clips, and keeps singers and artists apart. Both are scored under both protocols, so
    that the gap between them is known.

    Parameters
    ----------
    out : path-like
        Folder of the report. Each finished piece is kept in its sub-folder ``pieces``; a run that
        was interrupted goes on from there.
    data_home : path-like, default=None
        Folder of the datasets, as of the `fetch_*` functions; nothing is downloaded to it.
    quick : bool, default=False
        Compute far less, to see the report within minutes; it says what is less.
    features : list of {"l3", "vggish", "mfcc"}, default=all three
        A network without weights is left out, and the report says so.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"}, default=all six
        The classifiers.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the networks, as of :func:`evaluate`.
    random_state : int, default=0
        Where every other seed comes from.
    memory : path or joblib.Memory, default=None
        Cache of the clips' embeddings; None = the sub-folder ``cache`` of `out`.
    n_jobs : int, default=None
        Number of fits at once, in joblib's meaning.
    verbose : bool, default=False
        Show progress on standard error.

    Returns
    -------
    reproduction : Reproduction
        With `table`, `claims`, and the results of each dataset; also saved in `out`.

    Raises
    ------
    DatasetNotFoundError
        When no dataset is in place.
    WeightsNotFoundError
        When none of the features can be had.

    See Also
    --------
    evaluate : One dataset at a time.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> from skmer.evaluation import reproduce_koh2021
    >>> found = reproduce_koh2021("koh2021", data_home="my_data", quick=True)  # doctest: +SKIP
    >>> found.table[["dataset", "published", "faithful", "defensible"]]  # doctest: +SKIP
    """
    features = check_names("features", features, FEATURES)
    classifiers = check_names("classifiers", classifiers, CLASSIFIERS)
    out = check_output_folder(out)
    holdings = find_clips(data_home)
    if not holdings.clips and holdings.annotations is None:
        raise DatasetNotFoundError(
            "None of the study's datasets is in place. " + " ".join(holdings.missing.values())
        )
    effort = QUICK if quick else FULL
    store, extractor = Store(out / "pieces"), Extractor(effort)
    say = _make_say(verbose)
    found = Reproduction(holdings, effort, random_state, reports=check_reports())
    common = {"store": store, "extractor": extractor, "seed": random_state}
    fitting = common | {"n_jobs": n_jobs, "verbose": verbose}
    for edition in EDITIONS:
        here, left_out = make_features(
            features,
            edition=edition,
            effort=effort,
            weights=weights,
            random_state=random_state,
            memory=Path(out, "cache") if memory is None else memory,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        found.left_out, found.features = left_out, here
        if not here:
            raise WeightsNotFoundError(
                "None of the features can be computed. " + " ".join(left_out.values())
            )
        vectors = {name: feature for name, feature in here.items() if name != LARGE}
        for dataset in holdings.datasets:
            clips = holdings.clips[dataset, edition.name]
            cells = list_cells(dataset, here.values(), classifiers)
            results = []
            for cell in cells:
                say(str(cell))
                results.append(evaluate_cell(cell, clips, **fitting))
            found.results[dataset, edition.name] = join_results(results)
            say(f"{dataset}, {edition.name}: leakage audit")
            # The plainest feature stands for all: a leak is a matter of clips and splits.
            plainest = vectors.get("mfcc", next(iter(vectors.values())))
            found.audits[dataset, edition.name] = audit_splits(dataset, plainest, clips, **common)
        if ("emomusic", edition.name) in holdings.clips:
            clips = holdings.clips["emomusic", edition.name]
            for name, feature in vectors.items():
                say(f"emomusic, {edition.name}: r2 of {name}")
                found.regressions[name, edition.name] = regress(
                    clips, feature, name=name, **fitting
                )
        layers = find_published_features(data_home, holdings.annotations)
        if layers is not None:
            say(f"emomusic: r2 of {CHOI}")
            found.regressions[CHOI, edition.name] = regress(
                holdings.annotations, layers, name=CHOI, **fitting
            )
        if edition is FAITHFUL and ("ravdess-song", edition.name) in holdings.clips:
            clips = holdings.clips["ravdess-song", edition.name]
            for name, feature in vectors.items():
                say(f"ravdess-song: map of {name}")
                one = map_singers(feature, clips, **common)
                if one is not None:
                    found.maps[name] = one
    say("leakage audit of files and annotations")
    files = audit_files(holdings, store=store, n_jobs=n_jobs)
    if files is not None:
        found.audits["files", ""] = files
    if holdings.annotations is not None:
        found.audits["emomusic annotations", ""] = audit_labels(holdings.annotations, store=store)
    found.computed = store.computed
    found.save(out)
    return found


def _make_say(verbose: bool):
    from rich.console import Console

    return Console(stderr=True, quiet=not verbose, highlight=False).print

"""The whole study, piece by piece, each remembered when it is finished."""

from skmer.classifiers import CLASSIFIERS
from skmer.evaluation.features import check_names
from skmer.exceptions import DatasetNotFoundError, WeightsNotFoundError
from skmer.studies.koh2021.data import (
    ADDITIONS,
    EDITIONS,
    FAITHFUL,
    FEATURES,
    FULL,
    LARGE,
    QUICK,
    Edition,
    FeatureExtractor,
    find_datasets,
    make_features,
)
from skmer.studies.koh2021.pieces import (
    CHOI,
    audit_files,
    audit_labels,
    audit_splits,
    check_reports,
    evaluate_cell,
    find_published_features,
    join_results,
    list_cells,
    map_singers,
    regress,
)
from skmer.studies.koh2021.reproduction import Reproduction
from skmer.studies.koh2021.store import PieceStore, RunContext
from skmer.utils.files import check_output_folder


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
        Folder of the report. Each finished piece is kept in its sub-folder ``pieces``, by the
        content of the clips and by every setting; a run that was interrupted goes on from there. A
        piece that was cut or changed since is computed again, with a warning.
    data_home : path-like, default=None
        Folder of the datasets, as of the `fetch_*` functions; nothing is downloaded to it.
    quick : bool, default=False
        Compute far less, to see the report within minutes; it says what is less.
    features : list of {"l3", "vggish", "mfcc", "musicnn"}, default=the study's three
        A network without weights is left out, and the report says so. The study did not have
        MusiCNN: it is shown as an addition, and no claim is judged by it.
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
    >>> from skmer.studies import reproduce_koh2021
    >>> found = reproduce_koh2021("koh2021", data_home="my_data", quick=True)  # doctest: +SKIP
    >>> found.table[["dataset", "published", "faithful", "defensible"]]  # doctest: +SKIP
    """
    features = check_names("features", features, (*FEATURES, *ADDITIONS))
    classifiers = check_names("classifiers", classifiers, CLASSIFIERS)
    out = check_output_folder(out)
    datasets = find_datasets(data_home, verbose=verbose)
    if not datasets.clips and datasets.annotations is None:
        raise DatasetNotFoundError(
            f"None of the study's datasets is in place ({', '.join(datasets.missing)}). "
            + datasets.missing["ravdess-song"]
        )
    context = RunContext(
        PieceStore(out / "pieces"),
        FeatureExtractor(QUICK if quick else FULL),
        random_state,
        n_jobs,
        verbose,
    )
    found = Reproduction(datasets, context.budget, random_state, reports=check_reports(context))
    for edition in EDITIONS:
        found.features, found.left_out = make_features(
            features,
            edition=edition,
            budget=context.budget,
            weights=weights,
            random_state=random_state,
            memory=out / "cache" if memory is None else memory,
            n_jobs=n_jobs,
            verbose=verbose,
        )
        if not found.features:
            raise WeightsNotFoundError(
                f"None of the features can be computed ({', '.join(found.left_out)}). "
                + next(iter(found.left_out.values()))
            )
        _classify(found, edition, classifiers, context)
        _regress(found, edition, find_published_features(data_home, datasets.annotations), context)
        if edition is FAITHFUL:
            _map(found, edition, context)
    context.announce("leakage audit of files and annotations")
    if datasets.clips:
        found.audits["files", ""] = audit_files(datasets, context)
    if datasets.annotations is not None:
        found.audits["emomusic annotations", ""] = audit_labels(datasets.annotations, context)
    found.computed = context.store.computed
    found.save(out)
    return found


def _classify(found: Reproduction, edition: Edition, classifiers, context: RunContext) -> None:
    """Evaluate the cells of every dataset, and audit its splits."""
    for dataset in found.datasets.names:
        clips = found.datasets.clips[dataset, edition.name]
        results = []
        for cell in list_cells(dataset, found.features.values(), classifiers):
            context.announce(str(cell))
            results.append(evaluate_cell(cell, clips, context))
        found.results[dataset, edition.name] = join_results(results)
        context.announce(f"{dataset}-{edition.name}: leakage audit")
        # The plainest feature stands for all: a leak is a matter of clips and splits.
        plainest = found.features.get("mfcc", next(iter(found.features.values())))
        found.audits[dataset, edition.name] = audit_splits(dataset, plainest, clips, context)


def _regress(found: Reproduction, edition: Edition, layers, context: RunContext) -> None:
    """Predict arousal and valence of Emotion in Music with whatever features there are."""
    clips = found.datasets.clips.get(("emomusic", edition.name))
    sources: dict = {}
    if clips is not None:
        sources = {name: (one, clips) for name, one in found.features.items() if name != LARGE}
    if layers is not None:
        sources[CHOI] = layers, found.datasets.annotations
    for name, (feature, dataset) in sources.items():
        context.announce(f"emomusic-{edition.name}: r2 of {name}")
        found.regressions[name, edition.name] = regress(
            dataset, feature, name=name, context=context
        )


def _map(found: Reproduction, edition: Edition, context: RunContext) -> None:
    """Map the clips of RAVDESS by every feature."""
    clips = found.datasets.clips.get(("ravdess-song", edition.name))
    if clips is None:
        return
    for name, feature in found.features.items():
        if name != LARGE:
            context.announce(f"ravdess-song: map of {name}")
            singer_map = map_singers(feature, clips, context)
            if singer_map is not None:
                found.maps[name] = singer_map

"""Features x models x protocols, by scikit-learn's own machinery."""

import platform
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from sklearn import config_context
from sklearn.base import clone

from skmer.classifiers.base import BaseKerasClassifier, check_keras_backend
from skmer.evaluation import features as inputs
from skmer.evaluation import fitting, folds, manifest, regression, rounds, splitters, tasks
from skmer.evaluation.across import join_clips, make_quadrants
from skmer.evaluation.result import EvaluationResult
from skmer.evaluation.targets import Clips
from skmer.exceptions import InputError, InputTypeError
from skmer.utils import digest, estimators, labels, messages, processes


def evaluate(
    features,
    classifiers,
    X,
    y,
    *,
    task: str | tasks.Task | None = None,
    target_names=None,
    groups=None,
    split=None,
    dataset=None,
    X_test=None,
    y_test=None,
    groups_test=None,
    dataset_test=None,
    scales=None,
    both_ways: bool = False,
    protocol="grouped",
    preset: estimators.Preset = "tuned",
    n_folds: int | None = None,
    n_repeats: int | None = None,
    scoring=None,
    weights="pretrained",
    random_state: int | None = 0,
    memory: estimators.Memory = None,
    n_jobs: int | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    audit: bool = True,
    checkpoint=None,
    time_limit: float | None = None,
    on_interrupt: Literal["raise", "return"] = "raise",
    verbose: bool = False,
) -> EvaluationResult:
    """Score every feature with every classifier under every protocol.

    skmer's transformers are not fitted, so each feature is computed once, before any fold. All
    fitting (scaling, search, early stopping) happens inside the training set of each split.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array with the rows of the feature.
        None: all names whose weights are available; each other name is left out with a warning
        that states how to get its weights.
    classifiers : list of {"svm", "nb", "rf", "mlp", "cnn", "lstm"} or dict
        Names, or a dict of name to estimator. Named classifiers that take sequences under the
        preset get the frames of a feature; your own estimators, under any name, get
        the output of the transformer. For numbers the names are "svr" and "ridge", which scale
        features and target and search their parameters inside the training set of each split.
    X : sequence of length n_clips, data frame, or None
        The clips, in any form that the transformers take. None if all features are arrays. A
        data frame with a column of clips and columns of metadata is for features that are
        scikit-learn's `ColumnTransformer`: clips are embedded once, and the transformers of
        other columns are fitted to the training set of each split.
    y : array-like of shape (n_clips,) or (n_clips, n_tags), data frame, list of lists, or dict
        The label of each clip; or tags, as an indicator matrix or as a list or set for each
        clip; or numbers, see `evaluate_regression` and `evaluate_dynamic_regression`.
    task : {"classification", "tags", "regression", "dynamic_regression"} or Task, default=None
        The task. None: inferred from y by scikit-learn's `type_of_target`. Whole numbers
        are labels unless the task is "regression".
    target_names : sequence of str, default=None
        The tags, in the order of the columns of y. None: the columns of a data frame, or the tags
        in the lists, sorted.
    groups : array-like of shape (n_clips,), default=None
        The singer, artist or the like of each clip.
    split : array-like of shape (n_clips,), default=None
        The published set of each clip (such as "train" or "test"), as `FixedSplit` takes it, for
        the protocol "published".
    dataset : str or path-like, default=None
        The name of the data in the manifest and the report. For the path of a file, such as
        the table that lists the clips, the manifest also has its SHA-256.
    X_test, y_test, groups_test : as X, y and groups, default=None
        A second dataset. The protocol "across" fits the models to the whole first dataset and
        tests them on the second; see :ref:`across`. The other protocols split the first dataset
        only, as without a second one. If the features are arrays, X_test is a dict of name to
        array, or the array of a single feature. Classes, tags and targets are matched by name;
        those that only one dataset has are left out, with a warning. Clips that are in both
        datasets are left out of the larger one under "across". The row numbers of X_test continue
        those of X.
    dataset_test : str, default=None
        The name of the second dataset.
    scales : pair of (low, high) or AffectScale, default=None
        The limits of the scales of y and y_test: y_test is converted to the scale of y.
        If one dataset has the quadrants Q1 to Q4 and the other has arousal and valence, these
        are converted to quadrants at the middle of their scale; the other entry may be None.
    both_ways : bool, default=False
        Also fit on the second dataset and test on the first, as "across_back", and evaluate
        within the second dataset under each protocol, as "grouped_back".
    protocol : {"grouped", "koh2021", "shuffled", "published"}, splitter, or list or dict of \
those, default="grouped"
        "grouped" is repeated stratified group k-fold, and "shuffled" is repeated stratified k-fold
        over single clips. "koh2021", for labels only, is the study's 20 random splits into 80 %
        training, 10 % validation and 10 % test. "published" is the split in `split`. If a
        protocol keeps the groups apart, so do all splits of the training set inside a
        classifier (searches, calibration, stacking, early stopping). A split that cannot raises
        an error.
    preset : {"tuned", "koh2021"}, default="tuned"
        Settings of the features and classifiers that are given by name.
    n_folds : int, default=None
        Folds of "grouped" and "shuffled"; None = 5 for labels and tags, 10 for numbers, and
        for "grouped" at most the number of groups.
    n_repeats : int, default=None
        Repeats of the named protocols; None = for labels 20 for "koh2021" and 4 times the folds for
        "grouped", 20 fits each, and for numbers and tags 1.
    scoring : str, callable, list or dict, default=None
        Additional scores, by scikit-learn's names or as its scorers, in the forms that
        `sklearn.model_selection.cross_validate` takes; each is an additional column.
    weights : {"pretrained", None}, path, or dict, default="pretrained"
        Weights of the features that are given by name. A dict has the weights by name; names that
        are not in the dict are pretrained.
    random_state : int or None, default=0
        The seed of which all other seeds are derived: splits, classifiers, random weights.
    memory : None, path or joblib.Memory, default=None
        Cache of the features that are given by name.
    n_jobs : int, default=None
        Number of parallel fits, as in joblib. The numbers do not depend on it.
    on_error : {"raise", "skip"}, default="raise"
        For clips that cannot be read, or whose feature is not finite. "raise": one error
        names all of them, after the features of the others were computed. "skip": they are left
        out; ``manifest["skipped_clips"]`` and the report list them with the reasons.
    audit : bool, default=True
        Check every protocol for leaks: clips and groups on both sides of a split, duplicates,
        features that identify the group. The findings are in the manifest and the report.
    checkpoint : path-like, default=None
        A folder in which every finished fit is stored, by the data, the model, the split, the seed
        and the versions of the packages: a call that was ended or killed resumes from there.
    time_limit : float, default=None
        Seconds after which no further fit starts. The work is done in rounds, one repeat of every
        configuration after the other; the result has the finished rounds, and
        ``manifest["rounds"]`` their number. If the first round is not finished, the result has
        the models that are. A call with the same `checkpoint` resumes from there.
    on_interrupt : {"raise", "return"}, default="raise"
        The effect of Ctrl-C during the fits: raise `KeyboardInterrupt`, or return the finished
        rounds, as the time limit does.
    verbose : bool, default=False
        Show progress on standard error, and after the first round the remaining time.

    Returns
    -------
    result : EvaluationResult
        With `scores`, `predictions`, `summary()`, `compare()`, `plot()`, `report(path)`,
        `to_latex()`, `save(folder)`; for numbers a `RegressionResult`, over time a
        `DynamicRegressionResult`.

    Raises
    ------
    InputError
        If the data, the models and the protocol do not match, in one sentence that names
        the reason; or if the time limit is over before any model has a finished round.
    WeightsNotFoundError
        If the weights of a feature that was given by name are not available; the message states
        how to get them.

    See Also
    --------
    evaluate_regression : The same for arousal and valence.
    evaluate_dynamic_regression : The same for targets that change over time.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> rng = np.random.default_rng(0)
    >>> y, singers = np.tile(["calm", "sad"], 20), np.repeat(np.arange(10), 4)
    >>> feature = rng.normal(size=(40, 3)) + (y == "sad")[:, None]
    >>> result = evaluate({"mine": feature}, {"nb": GaussianNB()}, None, y, groups=singers)
    >>> result.summary()[["feature", "classifier", "protocol", "n_splits"]]
      feature classifier protocol  n_splits
    0    mine         nb  grouped        20
    """
    # What can be checked is checked first, then features are computed, then models are fitted.
    times = [time.perf_counter()]
    rules: tuple[str, ...] = ()
    if y_test is not None:
        y, y_test, rules = make_quadrants(y, y_test, scales)
    elif X_test is not None or groups_test is not None:
        raise InputError("X_test and groups_test need y_test.", param="y_test")
    task = tasks.find_task(task, y).bind(y, target_names)
    given = dict(features) if isinstance(features, Mapping) else {}
    first = next(iter(y.values()), None) if isinstance(y, Mapping) else y
    labels.check_order({"y": first, "X": X, "groups": groups, "split": split} | given)
    tested = X_test if isinstance(X_test, Mapping) else {"X_test": X_test}
    labels.check_order({"y_test": y_test, "groups_test": groups_test, **tested})
    messages.check_choice("evaluate", ("tuned", "koh2021"), preset=preset)
    messages.check_choice("evaluate", ("raise", "skip"), on_error=on_error)
    messages.check_choice("evaluate", ("raise", "return"), on_interrupt=on_interrupt)
    deadline = rounds.Deadline(time_limit)
    processes.check_n_jobs(n_jobs)
    seed = estimators.recorded_seed(random_state)
    named, named_test = manifest.describe_dataset(dataset), manifest.describe_dataset(dataset_test)
    clips, across = Clips.check(X, task.check(y), groups, split), None
    if not audit and groups is not None:
        labels.warn_of_alike(clips.groups, "The groups")
    if y_test is not None:
        task, clips, features, across = join_clips(
            task, clips, features, (X_test, y_test, groups_test), scales=scales, rules=rules,
            names=(named.get("name"), named_test.get("name")), both_ways=both_ways,
        )  # fmt: skip
    n_folds = _default_folds(task, protocol, clips, across) if n_folds is None else n_folds
    n_repeats = task.n_repeats if n_repeats is None else n_repeats
    known = task.splitters(n_folds, n_repeats)
    protocols = _make_protocols(protocol, known, task, clips, seed, across)
    models = _make_models(classifiers, task, preset, clips, protocols)
    scorer, further_scores = fitting.make_scorer(scoring, task, clips.targets, models)
    transformers = inputs.make_transformers(
        features, preset=preset, weights=weights, random_state=seed, memory=memory, n_jobs=n_jobs,
        verbose=verbose,
    )  # fmt: skip
    has_own_models = isinstance(classifiers, Mapping)
    input_of = {
        (feature, model): task.input_of(given, None if has_own_models else model, preset)
        for feature, given in transformers.items()
        for model in models
    }
    wanted = {name: {input_of[name, model] for model in models} for name in transformers}
    made, left_out = inputs.make_features(transformers, wanted, clips.X, optional=features is None)
    columns = (one.clip_column for one in made.values() if one.clip_column is not None)
    clips = replace(clips, column=next(columns, None))
    with deadline.stage("computing the features"):
        computed = {name: task.compute(one, clips.X, clips.targets) for name, one in made.items()}
    skipped = inputs.find_unusable(computed, clips.targets, on_error)
    skipped = {int(clips.original[row]): reason for row, reason in skipped.items()}
    if skipped:
        clips, computed = _leave_out(skipped, clips, computed)
    times.append(time.perf_counter())
    evidence = fitting.make_evidence(clips, transformers, computed, n_jobs, verbose)
    if across is not None:
        across = replace(across, shared=evidence.shared(clips.is_second))
    experiment = fitting.Experiment(
        task, clips, {name: transformers[name] for name in made}, computed, models, input_of,
        seed, n_jobs, across,
    )  # fmt: skip
    if skipped or across is not None:
        protocols = _make_protocols(protocol, known, task, clips, seed, across)
    with deadline.stage("the audit for leaks"):
        leaks = experiment.audit(protocols, evidence) if audit else None
    times.append(time.perf_counter())
    fits = experiment.list_fits(protocols, scorer)
    finished = rounds.run_rounds(
        fits, n_jobs=n_jobs, verbose=verbose, checkpoint=checkpoint, deadline=deadline,
        returns=on_interrupt == "return",
    )  # fmt: skip
    scores, predictions = fitting.tabulate(finished.fits, finished.fitted, clips.columns())
    times.append(time.perf_counter())
    unscored = task.find_unscored(predictions)
    for name, tags in unscored.items():
        warnings.warn(
            f"{messages.counted(len(tags), 'tag has', 'tags have')} no positive or no negative "
            f"in a test set ({name}), left out of the mean there: {messages.shorten(tags)}.",
            stacklevel=2,
        )
    record = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": dict(zip(("features", "audit", "fits"), np.diff(times).round(3).tolist())),
        "platform": platform.platform(),
        "versions": digest.versions(),
        "settings": {
            "task": task.name,
            "preset": preset,
            "random_state": seed,
            "n_folds": int(n_folds),
            "n_repeats": None if n_repeats is None else int(n_repeats),
            "on_error": on_error,
            "scoring": list(further_scores),
        },
        "dataset": experiment.first.describe(task, named),
        "skipped_clips": [{"row": row, "reason": reason} for row, reason in skipped.items()],
        "features": {
            name: manifest.describe_feature(transformers[name], one)
            for name, one in computed.items()
        },
        "left_out_features": left_out,
        "unscored": unscored,
        "models": {
            name: manifest.describe_estimator(model)
            for name, model in models.items()
            if name not in finished.unfinished_models
        },
        "audit": leaks,
        "protocols": {
            one.name: manifest.describe_protocol(one, clips.original, finished.done)
            for one in protocols
        },
        "rounds": finished.describe(),
    } | ({} if across is None else across.describe(clips, task, named_test))
    result = (task.result_class or EvaluationResult)(scores, predictions, record, task)
    result.experiment = experiment
    return result


def evaluate_regression(features, regressors, X, y, **options) -> regression.RegressionResult:
    """Predict numbers, each target by itself, with every feature and regressor.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array that holds the feature already; see
        `evaluate`.
    regressors : list of {"svr", "ridge"} or dict
        Names, or a dict of name to estimator. The named ones scale features and target and search
        their parameters inside the training set of each split.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : array-like of shape (n_clips,) or (n_clips, 2), data frame, or dict
        The targets: one, or arousal and valence, or named columns. Predictions are in their unit.
    **options : object
        All else that `evaluate` takes, by name. By default the folds are 10, drawn once.

    Returns
    -------
    result : RegressionResult
        With `scores`, `predictions`, `summary()`, `compare()`, `report(path)`, `to_latex()`,
        `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that names
        the reason.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had.

    See Also
    --------
    evaluate : The same for classes.
    evaluate_dynamic_regression : The same for targets that change over time.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import evaluate_regression
    >>> rng = np.random.default_rng(0)
    >>> feature, artists = rng.normal(size=(60, 3)), np.repeat(np.arange(20), 3)
    >>> y = feature[:, :2] + rng.normal(scale=0.1, size=(60, 2))
    >>> result = evaluate_regression(
    ...     {"mine": feature}, ["ridge"], None, y, groups=artists, n_folds=3
    ... )
    >>> result.summary()[["target", "protocol", "r2"]].round(1)
        target protocol   r2
    0  arousal  grouped  1.0
    1  valence  grouped  1.0
    """
    return evaluate(features, regressors, X, y, task=tasks.REGRESSION, **options)  # type: ignore[return-value]


def evaluate_dynamic_regression(
    features, regressors, X, y, *, times=None, **options
) -> regression.DynamicRegressionResult:
    """Predict targets moment by moment; clips stay whole in every split.

    Each moment is predicted from the frames nearest to it. No search inside a fit sees two moments
    of one clip in different folds.

    Parameters
    ----------
    features : list of {"musicnn", "l3", "vggish", "mfcc"}, dict, or None
        Names, or a dict of name to transformer, or to an array of shape (n_clips, n_times, d) that
        holds the feature of each moment already; see `evaluate`.
    regressors : list of {"svr", "ridge"} or dict
        Names, or a dict of name to estimator. "svr" takes hours on tens of thousands of moments.
    X : sequence of length n_clips, or None
        The clips, in any form that the transformers take. None where all features are arrays.
    y : dict of array-like of shape (n_clips, n_times)
        The targets by name, such as arousal and valence; NaN where a clip has no value.
    times : array-like of shape (n_times,), default=None
        Seconds from the start of the clip. None = the column names of the frames in `y`.
    **options : object
        All else that `evaluate` takes, by name. A protocol splits clips. The folds are 10, drawn
        once, by default.

    Returns
    -------
    result : DynamicRegressionResult
        With `scores`, `predictions`, `song_scores()`, `summary()`, `report(path)`, `save(folder)`.

    Raises
    ------
    InputError
        When the data, the models and the protocol do not go together, in one sentence that names
        the reason.
    WeightsNotFoundError
        When the weights of a feature that was asked for by name cannot be had.

    See Also
    --------
    evaluate_regression : One number for each clip.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer.evaluation import evaluate_dynamic_regression
    >>> rng = np.random.default_rng(0)
    >>> feature = rng.normal(size=(12, 5, 3))
    >>> result = evaluate_dynamic_regression(
    ...     {"mine": feature}, ["ridge"], None, {"arousal": feature[..., 0]},
    ...     times=np.arange(5) / 2, protocol="shuffled", n_folds=3,
    ... )
    >>> result.summary()[["target", "protocol", "r2"]].round(1)
        target  protocol   r2
    0  arousal  shuffled  1.0
    """
    task = tasks.DynamicRegression(times)
    return evaluate(features, regressors, X, y, task=task, **options)  # type: ignore[return-value]


def _default_folds(task: tasks.Task, protocol, clips: Clips, across) -> int:
    """Return the number of folds where the user gives none: with groups, as many at most."""
    if protocol not in ("grouped", ["grouped"]):
        return task.n_folds
    datasets = [clips] if across is None else [across.part(clips, way) for way in (False, True)]
    n_groups = [np.unique(one.groups).size for one in datasets if one.groups is not None]
    return max(2, min([task.n_folds, *n_groups]))


def _make_protocols(protocol, known, task, clips, seed, across) -> list[folds.Protocol]:
    def make(clips: Clips, is_other: bool = False) -> list[folds.Protocol]:
        named, wanted = known, protocol
        if is_other and clips.groups is None and not isinstance(protocol, Mapping):
            listed = protocol if isinstance(protocol, list | tuple) else [protocol]
            wanted = list(dict.fromkeys("shuffled" if one == "grouped" else one for one in listed))
        if clips.published is not None:
            named = {**known, "published": lambda seed: splitters.FixedSplit(clips.published)}
        strata = task.strata(clips.targets)
        made = folds.make_protocols(
            wanted, known=named, strata=strata, groups=clips.groups, random_state=seed
        )
        task.check_protocols(clips.targets, clips.groups, made)
        return made

    return make(clips) if across is None else across.make_protocols(make, clips, seed)


def _make_models(models, task, preset, clips: Clips, protocols: list[folds.Protocol]) -> dict:
    """Return what is fitted; raise for another kind, and for splits that break the protocol."""
    kind, targets = task.model_kind, clips.targets
    if isinstance(models, Mapping):
        inputs.check_filled(f"{kind}s", models)
    else:
        names = inputs.check_names(f"{kind}s", models, task.models)
        models = {name: task.make_model(name, preset) for name in names}
    for name, model in models.items():
        # Not every classifier is of a class of that kind, and not every one has `predict` before
        # it is fitted. scikit-learn distinguishes them by their tags.
        is_model = not isinstance(model, type) and hasattr(model, "__sklearn_tags__")
        if not is_model or not task.fits(model):
            raise InputTypeError(
                f"{name!r} of the '{kind}s' parameter must be a {kind} in scikit-learn's manner, "
                f"since the task is {task.name}. Got {model!r} instead.",
                param=f"{kind}s",
            )
    models = {name: task.wrap(model) for name, model in models.items()}
    nested = [one for model in models.values() for one in estimators.nested_estimators(model)]
    if any(isinstance(one, BaseKerasClassifier) for one in nested):
        check_keras_backend()
    for one in protocols:
        apart = clips.groups_in_fit(one.grouped_in_fit)
        trained = [targets.split_rows(split).train for split in one.splits]
        y = targets.first
        groups = np.arange(len(y)) if apart is None else apart
        for fewest in (
            min(trained, key=lambda rows: np.unique(groups[rows]).size),
            min(trained, key=lambda rows: min(folds.count_groups(y[rows], groups[rows]).values())),
        ):
            for model in map(clone, models.values()):
                if apart is not None:
                    with config_context(enable_metadata_routing=True):
                        folds.keep_groups_apart(model, fewest, y[fewest], groups[fewest], seed=0)
                folds.check_inner_scores(model, y[fewest], groups[fewest])
    return models


def _leave_out(skipped: Mapping[int, str], clips: Clips, computed: Mapping):
    """Return clips and features without the clips that cannot be used."""
    kept = ~np.isin(clips.original, list(skipped))
    if kept.sum() < 2:
        raise InputError(
            f"All but {kept.sum()} of {kept.size} clips cannot be used. The first: "
            f"{next(iter(skipped.values()))}"
        )
    rows = kept[clips.targets.clip]
    return clips.keep(kept), {name: one.keep_rows(rows, kept) for name, one in computed.items()}

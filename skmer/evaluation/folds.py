"""From the name of a protocol, or a splitter, to the splits it makes of the clips at hand."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
from sklearn import config_context, model_selection
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.multiclass import type_of_target

from skmer.exceptions import InputError, InputTypeError
from skmer.utils import estimators, labels, messages


@dataclass(frozen=True)
class Split:
    """Rows of one split, and the seed of every classifier fitted on it."""

    protocol: str
    repeat: int
    fold: int
    seed: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def map_rows(self, function: Callable[[np.ndarray], np.ndarray]) -> "Split":
        """Return the split with other numbers for its rows."""
        train, validation, test = map(function, (self.train, self.validation, self.test))
        return replace(self, train=train, validation=validation, test=test)

    def __str__(self) -> str:
        return f"{self.protocol}, repeat {self.repeat + 1} fold {self.fold + 1}"


@dataclass(frozen=True)
class Protocol:
    """The splits of one protocol; `grouped` = no group is in two sets (None: no groups given)."""

    name: str
    splitter: object
    splits: tuple[Split, ...]
    grouped: bool | None
    # Whether what splits rows inside a fit keeps groups apart.
    grouped_in_fit: bool | None
    # The names of the dataset that is fitted and of the one that is tested, where they are two.
    across: tuple[str, str] | None = None


def make_protocols(protocol, *, known, strata, groups, random_state: int) -> list[Protocol]:
    """Make the splits of each protocol asked for.

    A protocol's splits and seeds depend on `random_state` alone, not on its neighbours in the list.
    """
    split_seed, fit_seed = estimators.derive_seeds(random_state, 2)
    protocols = []
    for name, splitter in _named_splitters(protocol, known, split_seed).items():
        if name == "grouped" and groups is None:
            raise InputError(
                "The 'grouped' protocol needs 'groups', the singer, artist or the like of each "
                "clip. Got None instead; give them, or the protocol 'shuffled', which may have an "
                "artist on both sides of a split.",
                param="groups",
            )
        if name in ("grouped", "shuffled"):
            _check_folds(name, splitter, strata, groups)
        protocols.append(_make_protocol(name, splitter, strata, groups, fit_seed))
    return protocols


def _check_folds(name: str, splitter, strata, groups) -> None:
    """Raise for more folds than a named protocol can make of these clips."""
    n_folds = getattr(splitter, "n_splits", None) or getattr(splitter, "cvargs", {}).get("n_splits")
    if n_folds is None:
        return
    n_units = len(strata) if name == "shuffled" else np.unique(groups).size
    # Of tags and numbers there are no classes.
    is_one = np.ndim(strata) == 1
    largest = int(np.unique(strata, return_counts=True)[1].max()) if is_one else n_folds
    if n_folds > (most := min(n_units, largest)):
        units = f"{n_units} {'clips' if name == 'shuffled' else 'groups'}"
        fault = f"from {units}" if n_folds > n_units else "since no class has so many clips"
        advice = f"the 'n_folds' parameter must be at most {most}" if most > 1 else "two are needed"
        raise InputError(
            f"The {name!r} protocol cannot make {n_folds} folds {fault}; {advice}.",
            param="n_folds",
        )


def _named_splitters(protocol, known, split_seed) -> dict[str, object]:
    """Give each protocol that was asked for a name and a splitter."""
    if isinstance(protocol, Mapping):
        pairs = list(protocol.items())
    else:
        listed = protocol if isinstance(protocol, list | tuple) else [protocol]
        pairs = [(_name_of(item), item) for item in listed]
    if not pairs:
        raise messages.wrong_parameter("", "protocol", "at least one protocol", protocol)
    splitters: dict[str, object] = {}
    for name, item in pairs:
        labels.check_text("The names in the 'protocol' parameter", str(name))
        if name in splitters:
            raise InputError(
                f"The 'protocol' parameter has {name!r} twice; give a dict of name to splitter.",
                param="protocol",
            )
        splitter = known[item](split_seed) if isinstance(item, str) and item in known else item
        if isinstance(splitter, str | bytes | type) or not hasattr(splitter, "split"):
            error = InputError if isinstance(item, str) else InputTypeError
            raise error(
                f"The 'protocol' parameter must be {' or '.join(map(repr, known))}, a scikit-learn "
                f"splitter, or a list or dict of those. Got {item!r} instead.",
                param="protocol",
            )
        splitters[name] = splitter
    return splitters


def _name_of(item) -> str:
    if isinstance(item, str):
        return item
    return "fixed" if isinstance(item, model_selection.PredefinedSplit) else type(item).__name__


def _make_protocol(name, splitter, strata, groups, fit_seed) -> Protocol:
    """Run one splitter, check what it gives, and number its splits."""
    none = np.array([], dtype=np.intp)
    X = np.zeros((len(strata), 1))
    try:
        if hasattr(splitter, "split_parts"):
            all_sets = [tuple(one) for one in splitter.split_parts(X, strata)]
        else:
            seen = groups if _asks_for_groups(splitter) else None
            with warnings.catch_warnings():
                # A class of fewer clips than folds is in some of the test sets.
                warnings.filterwarnings("ignore", "The least populated class in y")
                all_sets = [(train, none, test) for train, test in splitter.split(X, strata, seen)]
    except (ValueError, TypeError) as error:
        param = "n_folds" if name in ("grouped", "shuffled") else "protocol"
        fault = f"The {name!r} protocol cannot split these clips: {error}"
        raise InputError(fault, param=param) from error
    if not all_sets:
        fault = f"The {name!r} protocol has a splitter that makes no split."
        raise InputError(fault, param="protocol")
    all_sets = [_check_sets(name, len(strata), *sets) for sets in all_sets]
    grouped = None if groups is None else all(_apart(groups, *sets) for sets in all_sets)
    if name == "grouped" and not grouped:
        raise InputError("The 'grouped' protocol got a splitter that splits groups.")
    n_repeats = _count_repeats(splitter, all_sets)
    per_repeat = len(all_sets) // n_repeats
    seeds = estimators.derive_seeds(fit_seed, len(all_sets))
    splits = tuple(
        Split(name, i // per_repeat, i % per_repeat, seed, *sets)
        for i, (sets, seed) in enumerate(zip(all_sets, seeds))
    )
    return Protocol(name, splitter, splits, grouped, grouped)


def _asks_for_groups(splitter) -> bool:
    """Whether a splitter takes groups; one without metadata routing may have them."""
    if not hasattr(splitter, "get_metadata_routing"):
        return True
    return bool(get_routing_for_object(splitter).consumes("split", ["groups"]))


def _check_sets(name, n_clips, train, validation, test) -> tuple[np.ndarray, ...]:
    """Return the sets of a split as arrays of row numbers, or raise where scores would be wrong."""
    train, validation, test = sets = tuple(map(np.asarray, (train, validation, test)))
    if any(one.ndim != 1 or (one.size and one.dtype.kind not in "iu") for one in sets):
        fault = "must give the clips to train on and to test on as lists of their row numbers"
    elif not train.size or not test.size:
        fault = "has a split with no clips to train on, or none to test on"
    else:
        rows = np.concatenate(sets)
        beyond = rows[(rows < 0) | (rows >= n_clips)]
        if beyond.size:
            fault = f"names clip {beyond[0]}, and there are {n_clips} clips"
        elif np.unique(rows).size < rows.size:
            fault = (
                "has a split with the same clip in two sets; scores on clips seen in training "
                "mean nothing"
            )
        else:
            return sets
    raise InputError(f"The {name!r} protocol {fault}.", param="protocol")


def _apart(groups, train, validation, test) -> bool:
    """Whether no group is both in the test set and among the rest."""
    return not np.isin(groups[test], groups[np.concatenate([train, validation])]).any()


def _count_repeats(splitter, all_sets) -> int:
    """Count how often the clips are tested: splits whose tests overlap are further repeats."""
    if hasattr(splitter, "split_parts"):
        # Draws at random, whether or not some clip happens to be tested twice.
        return len(all_sets)
    if (n_repeats := getattr(splitter, "n_repeats", None)) is not None:
        return int(n_repeats)
    tested = np.concatenate([test for _, _, test in all_sets])
    return 1 if np.unique(tested).size == tested.size else len(all_sets)


# The name under which groups are routed while it is found out whether they arrive.
_PROBE = "groups_of_one_estimator"


def is_search(model) -> bool:
    """Whether `model` searches parameters by cross-validation of its own."""
    return hasattr(model, "cv") and hasattr(model, "refit") and hasattr(model, "estimator")


def stops_early(model, n_rows: int) -> bool:
    """Whether the fit of `model` to so many rows holds some out to decide when to stop."""
    parameters = model.get_params(deep=False)
    early = parameters.get("early_stopping", True)
    # The histogram-based gradient boosting of scikit-learn does so for many rows.
    if early == "auto":
        early = n_rows > 10_000
    early = early and parameters.get("n_iter_no_change", 0) is not None
    return bool(early and parameters.get("validation_fraction"))


def shuffle_inner_folds(model, seed: int) -> None:
    """Shuffle the folds of a regressor's search that came with a number of folds only.

    Rows in the order of the target would make every fold an extrapolation.
    """
    for nested in estimators.nested_estimators(model):
        if is_search(nested) and not is_classifier(nested) and _is_number_of_folds(nested.cv):
            nested.cv = model_selection.KFold(nested.cv or 5, shuffle=True, random_state=seed)


def keep_groups_apart(model, X, y, groups: np.ndarray, seed: int) -> bool:
    """Let every estimator in `model` that splits its rows keep groups apart, or raise.

    Those that came with a number of folds get group folds, no more than there are groups; a
    splitter that the user chose stays, and gets the groups where it asks for them. Returns whether
    the fit of `model` takes groups.

    Raises
    ------
    InputError
        For an estimator that splits its rows and that groups do not reach.
    """
    parts = estimators.nested_estimators(model)
    if np.unique(groups).size < 2 and any(_splits(one, len(y)) for one in parts):
        raise InputError(
            f"{type(model).__name__} splits its training set once more, and there the protocol "
            "leaves one group only; give clips of more groups, a model without a search or early "
            "stopping, or a protocol that splits groups."
        )
    folds_of = [one.get_params(deep=False).get("cv", 0.0) for one in parts]
    by_group = any(
        _is_number_of_folds(cv) or (hasattr(cv, "get_n_splits") and _asks_for_groups(cv))
        for cv in folds_of
    )
    if by_group and is_classifier(model):
        _check_classes(model, y, groups)
    whole = _given_all_rows(model)
    # What chooses thresholds of tags holds out groups, and fits to the others first.
    held_out = max(getattr(one, "holdout_fraction", 0) for one in parts)
    n_groups = np.unique(groups).size
    n_groups = max(n_groups - math.ceil(held_out * n_groups), 2)
    for nested in parts:
        who = f"{type(nested).__name__} in {type(model).__name__}"
        if "cv" in nested.get_params(deep=False) and _is_number_of_folds(nested.cv):
            # Those of scikit-learn do not stratify tags.
            has_classes = is_classifier(nested) and np.ndim(y) == 1
            name = "StratifiedGroupKFold" if has_classes else "GroupKFold"
            n_folds = min(nested.cv or 5, n_groups)
            nested.cv = getattr(model_selection, name)(n_folds, shuffle=True, random_state=seed)
            # CalibratedClassifierCV takes groups, and does not give them to such folds.
            forgets = getattr(nested, "ensemble", None) is False
            if _reach(model, "split", nested.cv) and not forgets:
                continue
            if nested in whole and _takes_lists_of_folds(nested):
                nested.cv = list(nested.cv.split(X, y, groups))
            else:
                advice = "take it out, give its 'cv' a splitter of your choice"
                _raise_ungrouped(who, "splits its clips into folds of its own", advice)
        elif "groups" in _fit_requests(nested):
            if _fit_requests(nested)["groups"] is None:
                nested.set_fit_request(groups=True)
                if stops_early(nested, len(y)) and not _reach(model, "fit", nested):
                    _raise_ungrouped(who, *_EARLY)
        elif stops_early(nested, len(y)):
            _raise_ungrouped(who, *_EARLY)
        elif nested.get_params(deep=False).get("probability") is True:
            who = f"{type(nested).__name__}(probability=True)"
            advice = "take probability=False, or CalibratedClassifierCV around it"
            _raise_ungrouped(who, "makes its probabilities by folds of its own", advice)
    for nested in parts:
        # scikit-learn gives the groups to the final estimator too, which does not take them.
        if hasattr(nested, "final_estimator") and _consumes(nested, "groups"):
            who = f"An estimator in {type(nested).__name__}"
            _raise_ungrouped(who, "splits its clips by itself", "take it out")
    return _consumes(model, "groups")


def count_groups(y, groups) -> dict:
    """Return the number of groups of each class; of other targets, of all rows."""
    if np.ndim(y) > 1 or type_of_target(y).startswith("continuous"):
        return {None: np.unique(groups).size}
    return {label: np.unique(groups[y == label]).size for label in np.unique(y)}


def _check_classes(model, y, groups) -> None:
    """Raise where a class is of one group, so that folds inside the fit have to do without it."""
    lone = [label for label, n_groups in count_groups(y, groups).items() if n_groups < 2]
    if lone:
        raise InputError(
            f"{type(model).__name__} searches its parameters in folds that keep groups apart, and "
            f"a training set of the protocol has the class {str(lone[0])!r} in one group only, so "
            "that a fold inside it has none to train on. Take more folds (n_folds), a model "
            "without a search such as 'rf', clips of more groups of that class, or leave it out."
        )


def check_inner_scores(model, y, groups) -> None:
    """Raise for a search by a score that folds inside the fit do not have, as of a class they lack.

    All values would be NaN, and scikit-learn takes the first one then.
    """
    for search in filter(is_search, estimators.nested_estimators(model)):
        if np.ndim(y) > 1 or not (is_classifier(search) and isinstance(search.scoring, str)):
            continue
        with warnings.catch_warnings(), config_context(enable_metadata_routing=False):
            warnings.simplefilter("ignore")
            scores = model_selection.cross_val_score(
                DummyClassifier(), np.zeros((len(y), 1)), y, groups=groups, cv=search.cv,
                scoring=search.scoring,
            )  # fmt: skip
        if np.isnan(scores).any():
            raise InputError(
                f"{type(search).__name__} searches its parameters by the score {search.scoring!r}, "
                f"which {np.isnan(scores).sum()} of {len(scores)} folds inside a training set do "
                "not have, since they lack a class. Take scoring='balanced_accuracy', fewer folds "
                "(cv), or more clips and groups of each class.",
                param="classifiers",
            )


def _splits(estimator, n_rows: int) -> bool:
    """Whether the fit of `estimator` splits its rows."""
    folds = estimator.get_params(deep=False).get("cv", "none")
    return not isinstance(folds, str) or stops_early(estimator, n_rows)


_EARLY = (
    "holds clips out to stop early",
    "switch its early stopping off, take skmer's KerasMLPClassifier, which can",
)


def _raise_ungrouped(who: str, does: str, advice: str) -> None:
    raise InputError(
        f"{who} {does}, and scikit-learn cannot keep the groups apart there as the protocol does; "
        f"{advice}, or choose a protocol that splits groups."
    )


def _is_number_of_folds(cv) -> bool:
    return cv is None or (isinstance(cv, Integral) and not isinstance(cv, bool))


def _given_all_rows(model) -> list:
    """Return the estimators whose fit gets the very rows that the fit of `model` gets."""
    inner = [model.regressor] if isinstance(model, TransformedTargetRegressor) else []
    if isinstance(model, Pipeline):
        inner = [step for _, step in model.steps if hasattr(step, "get_params")]
    return [model, *(nested for one in inner for nested in _given_all_rows(one))]


def _takes_lists_of_folds(estimator) -> bool:
    return "cv_object" in getattr(estimator, "_parameter_constraints", {}).get("cv", ())


def _fit_requests(estimator) -> dict:
    """Return which metadata of each row the fit of an estimator takes, beside the target."""
    try:
        return estimator.get_metadata_routing().fit.requests
    except (AttributeError, NotImplementedError):
        # One that has others inside has a router, and asks for nothing itself.
        return {}


def _reach(model, method: str, estimator) -> bool:
    """Whether groups given to the fit of `model` come to this very estimator in it."""
    request = getattr(estimator, f"set_{method}_request")
    request(groups=_PROBE)
    try:
        return _consumes(model, _PROBE)
    finally:
        request(groups=True)


def _consumes(model, name: str) -> bool:
    try:
        return bool(get_routing_for_object(model).consumes("fit", [name]))
    except NotImplementedError:
        # Some of scikit-learn's do not hand anything on yet.
        return False

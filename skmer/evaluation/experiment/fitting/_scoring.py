"""Scores that the user asks for beside the usual ones, by scikit-learn's names and scorers."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import check_scoring

from skmer.exceptions import InputError
from skmer.utils._checks import is_iterable
from skmer.utils._labels import check_text


def make_scorer_of(scoring, *, usual: Sequence[str], columns: Sequence[str], targets):
    """Return a callable of (model, X, y) to a dict of scores, and the names of the scores.

    Names of usual scores are dropped, since those are there anyway. A scorer that cannot score
    targets such as these is refused here, before hours of work.
    """
    if scoring is None:
        return None, ()
    scoring = _by_name(scoring)
    scoring = {
        name: scorer for name, scorer in scoring.items() if not (name in usual and name == scorer)
    }
    for name in scoring:
        if name in usual or name in columns or not isinstance(name, str):
            raise InputError(
                f"The 'scoring' parameter has a score of the name {name!r}, which is a column of "
                "the scores already; give it another name."
            )
    if not scoring:
        return None, ()
    check_text("The names in the 'scoring' parameter", *map(str, scoring))
    y = next(iter(targets.values()))
    dummy = (DummyRegressor if y.dtype.kind == "f" else DummyClassifier)()
    X = np.zeros((y.size, 1))
    try:
        scorer = check_scoring(dummy, scoring=scoring)
        scorer(dummy.fit(X, y), X, y)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0][:250]
        raise InputError(
            "The 'scoring' parameter must have scores that scikit-learn knows and that suit the "
            f"targets, by name or as scorers. Got {list(scoring)}: {reason}"
        ) from error
    return scorer, tuple(scoring)


def _by_name(scoring) -> dict:
    """Return scorers by the names of their columns."""
    if isinstance(scoring, Mapping):
        return dict(scoring)
    if isinstance(scoring, str):
        return {scoring: scoring}
    if callable(scoring):
        return {"score": scoring}
    listed = list(scoring) if is_iterable(scoring) else [scoring]
    if not all(isinstance(name, str) for name in listed):
        raise InputError(
            "The 'scoring' parameter must be a name, a scorer, a list of names, or a dict of name "
            f"to either. Got {scoring!r} instead."
        )
    return {name: name for name in listed}

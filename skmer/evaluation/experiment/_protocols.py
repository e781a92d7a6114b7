"""From the name of a protocol, or a splitter, to the splits it makes of the clips at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import PredefinedSplit
from sklearn.utils.metadata_routing import get_routing_for_object

from skmer.evaluation.splitters._fixed_split import FixedSplit
from skmer.exceptions import InputError, InputTypeError
from skmer.utils._labels import check_text
from skmer.utils._seeds import derive_seeds


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

    def __str__(self) -> str:
        return f"{self.protocol}, repeat {self.repeat + 1} fold {self.fold + 1}"


@dataclass(frozen=True)
class Protocol:
    """The splits of one protocol; `grouped` = no group is in two parts (None: no groups given)."""

    name: str
    splitter: object
    splits: tuple[Split, ...]
    grouped: bool | None


def make_protocols(
    protocol,
    *,
    known: Mapping[str, Callable[[int], object]],
    strata: np.ndarray,
    groups: np.ndarray | None,
    random_state: int,
) -> list[Protocol]:
    """Make the splits of each protocol asked for.

    A protocol's splits and seeds depend on `random_state` alone, not on its neighbours in the list.
    """
    split_seed, fit_seed = derive_seeds(random_state, 2)
    protocols = []
    for name, splitter in _named_splitters(protocol, known, split_seed).items():
        if name == "grouped" and groups is None:
            raise InputError(
                "The 'grouped' protocol needs 'groups', the singer, artist or the like of each "
                "clip. Got None instead; pass groups, or choose another protocol."
            )
        protocols.append(_make_protocol(name, splitter, strata, groups, fit_seed))
    return protocols


def _named_splitters(protocol, known, split_seed) -> dict[str, object]:
    """Give each protocol asked for a name and a splitter."""
    if isinstance(protocol, Mapping):
        pairs = list(protocol.items())
    else:
        listed = protocol if isinstance(protocol, list | tuple) else [protocol]
        pairs = [(_name_of(item), item) for item in listed]
    if not pairs:
        raise InputError("The 'protocol' parameter must name at least one protocol. Got none.")
    names = [name for name, _ in pairs]
    for name in names:
        check_text("The names in the 'protocol' parameter", str(name))
        if names.count(name) > 1:
            raise InputError(
                f"The 'protocol' parameter has {name!r} twice; give a dict of name to splitter."
            )
    splitters = {}
    for name, item in pairs:
        if isinstance(item, str):
            if item not in known:
                raise InputError(
                    "The 'protocol' parameter must be "
                    f"{' or '.join(repr(key) for key in known)}, a scikit-learn splitter, or a "
                    f"list or dict of those. Got {item!r} instead."
                )
            splitters[name] = known[item](split_seed)
        elif callable(getattr(item, "split", None)) and not isinstance(item, type | bytes):
            splitters[name] = item
        else:
            raise InputTypeError(
                "The 'protocol' parameter must be a name, a scikit-learn splitter, or a list or "
                f"dict of those. Got {item!r} instead."
            )
    return splitters


def _name_of(item) -> str:
    if isinstance(item, str):
        return item
    return "fixed" if isinstance(item, PredefinedSplit | FixedSplit) else type(item).__name__


def _make_protocol(name, splitter, strata, groups, fit_seed) -> Protocol:
    """Run one splitter, check what it gives, and number its splits."""
    none = np.array([], dtype=np.intp)
    X = np.zeros((strata.size, 1))
    try:
        if hasattr(splitter, "split_parts"):
            parts = [tuple(part) for part in splitter.split_parts(X, strata)]
        else:
            seen = groups if _asks_for_groups(splitter) else None
            parts = [(train, none, test) for train, test in splitter.split(X, strata, seen)]
    except (InputError, InputTypeError):
        raise
    except (ValueError, TypeError) as error:
        raise InputError(f"The {name!r} protocol cannot split these clips: {error}") from error
    if not parts:
        raise InputError(f"The {name!r} protocol has a splitter that makes no split.")
    parts = [_check_parts(name, strata.size, *part) for part in parts]
    grouped = None if groups is None else all(_apart(groups, *part) for part in parts)
    if name == "grouped" and not grouped:
        raise InputError("The 'grouped' protocol got a splitter that splits groups.")
    n_repeats = _count_repeats(splitter, parts)
    per_repeat = len(parts) // n_repeats
    splits = tuple(
        Split(name, i // per_repeat, i % per_repeat, seed, *part)
        for i, (part, seed) in enumerate(zip(parts, derive_seeds(fit_seed, len(parts))))
    )
    return Protocol(name, splitter, splits, grouped)


def _asks_for_groups(splitter) -> bool:
    """Whether groups are of use to a splitter; one that does not say may have them."""
    if not hasattr(splitter, "get_metadata_routing"):
        return True
    return bool(get_routing_for_object(splitter).consumes("split", ["groups"]))


def _check_parts(name, n_clips, train, validation, test) -> tuple[np.ndarray, ...]:
    """Return the parts as arrays of row numbers."""
    train, validation, test = parts = tuple(map(np.asarray, (train, validation, test)))
    if any(part.ndim != 1 or (part.size and part.dtype.kind not in "iu") for part in parts):
        raise InputError(
            f"The {name!r} protocol must give the clips to train on and to test on as lists of "
            "their row numbers."
        )
    for what, part in (("train on", train), ("test on", test)):
        if part.size == 0:
            raise InputError(f"The {name!r} protocol has a split with no clips to {what}.")
    together = np.concatenate([train, validation, test])
    for clip in (together.max(), together.min()):
        if not 0 <= clip < n_clips:
            raise InputError(
                f"The {name!r} protocol names clip {clip}, and there are {n_clips} clips."
            )
    if np.unique(together).size < together.size:
        raise InputError(
            f"The {name!r} protocol has a split with the same clip in two parts; scores on clips "
            "seen in training mean nothing."
        )
    return parts


def _apart(groups, train, validation, test) -> bool:
    """Whether no group is both in the test part and among the rest."""
    return not np.isin(groups[test], groups[np.concatenate([train, validation])]).any()


def _count_repeats(splitter, parts) -> int:
    """Count how often the clips are tested: splits whose tests overlap are further repeats."""
    n_repeats = getattr(splitter, "n_repeats", None)
    if n_repeats is not None:
        return int(n_repeats)
    tested = np.concatenate([test for _, _, test in parts])
    return 1 if np.unique(tested).size == tested.size else len(parts)


def check_classes(y: np.ndarray, groups: np.ndarray | None, protocols: list[Protocol]) -> None:
    """Refuse classes that can never be both trained on and tested."""
    if groups is None or not any(protocol.grouped for protocol in protocols):
        return
    for label in np.unique(y):
        if np.unique(groups[y == label]).size < 2:
            raise InputError(
                f"The class {str(label)!r} occurs in one group only, so that with groups kept "
                "apart it is never both trained on and tested; add groups with that class, leave "
                "it out, or choose another protocol."
            )

"""Labels and groups as plain arrays: one for each clip, all text or all numbers, none missing."""

import re
import unicodedata
import warnings
from collections import Counter, defaultdict
from functools import partial
from itertools import combinations

import numpy as np
from sklearn.utils import column_or_1d

from skmer.exceptions import InputError
from skmer.utils.messages import shorten

# As pandas names them; an empty array has neither text nor numbers.
_KINDS = ("string", "integer", "floating", "mixed-integer-float", "boolean", "empty")


def check_labels(values, name: str, *, as_given: bool = False) -> np.ndarray:
    """Return one label for each clip as an array of text, of numbers, or of booleans.

    Text that reads the same is the same: blanks and characters without a shape around it go, and
    letters with marks are in one Unicode form (NFC; names of files from a Mac are in NFD).

    Parameters
    ----------
    values : array-like of shape (n_clips,)
        Text, numbers or booleans; not a mixture, which has no order.
    name : str
        What messages call them, such as "The groups".
    as_given : bool, default=False
        Leave text as it is, for what `predict` returns.

    Returns
    -------
    labels : ndarray of shape (n_clips,)

    Raises
    ------
    InputError
        For another shape, a missing value, a mixture, or something else than text and numbers.
    """
    # A set has no order. numpy alone would write 1 among text as "1".
    if isinstance(values, str | bytes | dict | set | frozenset) or not hasattr(values, "__iter__"):
        raise InputError(f"{name} must be a sequence, one for each clip. Got {values!r} instead.")
    labels = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if labels.ndim != 1:
        raise InputError(f"{name} must be one for each clip. Got shape {labels.shape} instead.")
    if labels.dtype.kind in "biu" and not np.ma.is_masked(labels):
        return labels
    import pandas as pd

    missing = np.flatnonzero(np.ma.getmaskarray(labels) | pd.isna(np.asarray(labels)))
    if missing.size:
        raise InputError(
            f"{name} have missing values: {missing.size} of {labels.size} clips have none, the "
            f"first in row {missing[0]}. Leave those clips out of X, y and groups."
        )
    kind = pd.api.types.infer_dtype(labels, skipna=False)
    is_allowed = kind in _KINDS
    # numpy's own type of text of any length, "T", is one that its `unique` does not sort.
    array = np.array(labels.tolist()) if labels.dtype.kind in "OT" and is_allowed else labels
    if not is_allowed or array.dtype.kind == "O":
        raise InputError(
            f"{name} must be all text, or all numbers of at most 64 bits. Got {kind} values, such "
            f"as {labels[0]!r}."
        )
    if array.dtype.kind == "U":
        different = set(array.tolist())
        check_text(name, *different)
        forms = {text: text if as_given else plain_text(text) for text in different}
        if any(text != form for text, form in forms.items()):
            array = np.array([forms[text] for text in array.tolist()])
    return array


# Blanks, and what editors and web pages leave without a shape: marks of the order of bytes and of
# the direction, places to break a word.
_BLANK = r"[\s\xad\u200b-\u200f\u2060\ufeff]+"
# Apostrophes and hyphens, as text processors write them.
_MARKS = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\xb4`", "'"))
_MARKS |= str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def plain_text(text: str) -> str:
    """Return text in the Unicode form NFC, without blanks around it."""
    return re.sub(rf"\A{_BLANK}|{_BLANK}\Z", "", unicodedata.normalize("NFC", text))


def plain_name(name) -> str:
    """Return a name without what may differ: case, blanks, Unicode form, guests ("feat.")."""
    plain = unicodedata.normalize("NFKC", str(name).translate(_MARKS)).casefold()
    plain = re.split(r"[\s(\[,_]+(?:feat|ft|featuring)[.\s_]", plain)[0]
    return re.sub(f"_|{_BLANK}", "", plain)


def find_alike(names) -> list[list[str]]:
    """Return the names that differ in what `plain_name` leaves out only."""
    alike = defaultdict(list)
    for name in sorted({str(one) for one in names if isinstance(one, str)}):
        alike[plain_name(name)].append(name)
    return [names for names in alike.values() if len(names) > 1]


def pair_names(what: str, first: list, second: list, least: int = 2) -> tuple:
    """Return the name in `first` of each in `second`, and the names that only one of them has.

    Names that differ in what `plain_name` leaves out are one, unless two of one list do.
    """
    differ = not find_alike(first) and not find_alike(second)

    def key(name):
        return plain_name(name) if differ and isinstance(name, str) else name

    mine = {key(name): name for name in first}
    pairs = {name: mine[key(name)] for name in second if key(name) in mine}
    if len(pairs) < least:
        raise InputError(
            f"The {what} of y and y_test must have at least {('one name', 'two names')[least - 1]} "
            f"in common. Got {shorten(first)} and {shorten(second)}.",
            param="y_test",
        )
    alone = [str(name) for name in first if name not in pairs.values()]
    return pairs, alone, [str(name) for name in second if name not in pairs]


def warn_of_alike(names, what: str, warn=None) -> None:
    """Warn of names that may be one: the user decides which of them are."""
    if pairs := find_alike(names):
        listed = shorten([join_alike(pair) for pair in pairs], 3)
        (warn or partial(warnings.warn, stacklevel=4))(
            f"{what} have names that differ only in case, blanks, guests or Unicode form "
            f"and are taken for different ones: {listed}. Write each in one way."
        )


def join_alike(pair: list[str]) -> str:
    """Return two names for a message; those that look the same are written in ASCII."""
    write = ascii if plain_text(pair[0]) == plain_text(pair[1]) else repr
    return " and ".join(map(write, pair[:2]))


def check_target(y) -> np.ndarray:
    """Return the labels given to a `fit`; a table of one column passes, with a warning."""
    if not isinstance(y, list | tuple) and getattr(y, "ndim", 0) != 1:
        y = column_or_1d(y, warn=True)
    labels = check_labels(y, "The labels y", as_given=True)
    warn_of_alike(labels, "The labels y")
    return labels


def check_order(values: dict) -> None:
    """Raise for pandas objects whose rows have the same names in other places.

    Rows go by their place, so that one of them would be given the label of another. They are in
    another order, or each object was filtered by itself; rows that are numbered from 0 have no
    names.
    """
    # Segments may themselves be an index, as audformat has them.
    indexes = {
        name: index
        for name, one in values.items()
        if hasattr(index := getattr(one, "index", one), "get_indexer")
    }
    for (first, index), (name, other) in combinations(indexes.items(), 2):
        if index.equals(other) or len(index) != len(other):
            continue
        n_shared = (Counter(index) & Counter(other)).total()
        is_numbered = any(list(one) == list(range(len(one))) for one in (index, other))
        if n_shared == len(index) or (2 * n_shared > len(index) and not is_numbered):
            raise InputError(
                f"{first} and {name} must have their rows in one order, since rows go by their "
                f"place. Got two indexes that share {n_shared} of {len(index)} names and differ; "
                f"write {name}.loc[{first}.index], or drop the index.",
                param=name,
            )


def check_text(what: str, *texts: str) -> None:
    """Raise for text that no file can hold: half a character, as in names that are not UTF-8."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"{what} must be text that UTF-8 can write. Got {text!r}.") from None


def stack_frames(frames: list):
    """Return the rows of all frames, numbered anew.

    pandas 2 warns that a column without values in one of them will count for the type of the whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils.labels import stack_frames
    >>> stack_frames([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})])["a"].tolist()
    [1, 2]
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The behavior of DataFrame concat", FutureWarning)
        return pd.concat(frames, ignore_index=True)

"""Tables put below one another, alike in every version of pandas."""

import warnings
from collections.abc import Sequence


def stack_frames(frames: Sequence):
    """Return the rows of all frames, numbered anew.

    pandas 2 warns that a column without values in one of them will count for the type of the whole.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmer.utils._frames import stack_frames
    >>> stack_frames([pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})])["a"].tolist()
    [1, 2]
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The behavior of DataFrame concat", FutureWarning)
        return pd.concat(frames, ignore_index=True)

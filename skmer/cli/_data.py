"""From the words that name a dataset to clips and what is to be predicted of them."""

from skmer.cli import _terminal
from skmer.exceptions import InputError


def load_clips(dataset: str, targets: list[str] | None, **options):
    """Return the clips of a dataset, a csv file or a folder, and labels or columns of numbers."""
    from skmer.datasets import list_datasets, load_dataset

    named = dataset in set(list_datasets()["name"])
    clips = load_dataset(dataset, target_columns=None if named else targets, **options)
    if not named:
        # How the user's own clips were found, and how many were not.
        _terminal.say(clips.DESCR)
    if targets is None:
        return clips, clips.target
    if named:
        return clips, _find_targets(clips, targets)
    return clips, dict(zip(targets, clips.target.T))


def _find_targets(clips, names: list[str]) -> dict:
    """Return the columns of numbers; the static ones where a dataset has dynamic ones as well."""
    from pandas.api.types import is_numeric_dtype

    frame = clips.frame
    numbers = [name for name in frame if is_numeric_dtype(frame[name])]
    targets = {}
    for name in names:
        column = name if name in numbers else f"static_{name}"
        if column not in numbers:
            raise InputError(
                "--target must be label, or columns of numbers of the dataset "
                f"({', '.join(numbers) or 'it has none'}). Got {name[:80]!r}."
            )
        targets[name] = frame[column].to_numpy(dtype=float)
    return targets

"""The user's own clips, in one folder for each label."""

import os
import re
import warnings
from pathlib import Path

from skmer.datasets.base._bunch import make_bunch
from skmer.datasets.in_place._audio import find_audio_files
from skmer.exceptions import DatasetNotFoundError, InputError, bounded
from skmer.utils._sklearn import validate_params
from skmer.utils._words import shorten
from skmer.utils.files._paths import expand_path


@validate_params(
    {
        "path": [str, os.PathLike],
        "group_from": [str, None],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_folder(
    path: str | os.PathLike,
    *,
    group_from: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the user's own clips from a folder with one folder per label.

    All files below are taken, at any depth, whose endings libsndfile or the usual decoders can
    read. Linked folders are followed once. Hidden files and folders, trash folders, broken links
    and files that are not audio are left out, and ``DESCR`` counts them.

    Parameters
    ----------
    path : str or path-like
        A folder; the names of its folders are the labels. ``~`` is the home folder.

    group_from : str, default=None
        Where the groups (artist, singer, album: what must not be in training and test at once)
        come from: a pattern of the file names without their endings, such as
        ``"{group} - *"``, where ``*`` is any text and ``{group}`` the shortest that fits. With a
        ``/`` in it the pattern is of the path below the label's folder. By default the folders
        inside the label's folder are the groups, if every clip is in one.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the audio files, in the order of labels and paths.
        target : ndarray of str, shape (n_clips,)
            The labels.
        target_names : list of str
            The different labels, sorted.
        groups : ndarray of str, shape (n_clips,), or None
            The groups, or None where none can be told.
        frame : DataFrame, shape (n_clips, 2 or 3)
            path, label, and group where there are groups.
        DESCR : str
            Where the clips are, how groups were told, and what was left out.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If there is no such folder, or no clip in it.
    ValueError
        If a clip lies beside the folders of the labels, has two labels by a link, or does not fit
        the pattern.

    Warns
    -----
    UserWarning
        If no groups can be told.

    See Also
    --------
    load_csv : Clips listed in a table.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import load_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("happy/Ann - Sun.wav", "sad/Bob - Rain.wav"):
    ...         pathlib.Path(folder, name).parent.mkdir()
    ...         pathlib.Path(folder, name).touch()
    ...     dataset = load_folder(folder, group_from="{group} - *")
    >>> dataset.target.tolist(), dataset.groups.tolist()
    (['happy', 'sad'], ['Ann', 'Bob'])
    """
    import pandas as pd

    folder = expand_path(path).absolute()
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no folder {folder}. Check the path.")
    pattern = None if group_from is None else _compile(group_from)
    found = find_audio_files(folder)
    parts = {clip: clip.relative_to(folder).parts for clip in found.paths}
    _check_labels(folder, found, parts)
    frame = pd.DataFrame(
        {"path": [str(clip) for clip in parts], "label": [part[0] for part in parts.values()]}
    )
    below = [Path(*part[1:]) for part in parts.values()]
    if pattern is not None:
        frame["group"] = _match_groups(below, pattern, group_from)
        told = f"Groups are told by {group_from!r}."
    elif all(len(place.parts) > 1 for place in below):
        frame["group"] = [place.parts[0] for place in below]
        told = "Groups are the folders inside the labels' folders."
    else:
        told = "No groups can be told."
        warnings.warn(
            bounded(
                f"{folder}: No groups can be told, since clips lie directly in the folders of the "
                "labels; put the clips of each artist in a folder, or give a pattern such as "
                "group_from='{group} - *'."
            ),
            UserWarning,
            stacklevel=4,
        )
    descr = f"{len(frame)} clips below {folder}. {told} {found.describe_left_out()}".rstrip()
    return make_bunch(
        frame,
        descr=descr,
        target_names=sorted(frame["label"].unique()),
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _check_labels(folder: Path, found, parts) -> None:
    """Raise unless every clip is in the folder of one label."""
    if not found.paths:
        raise DatasetNotFoundError(
            f"The folder {folder} holds no audio file that can be read. It must hold one folder "
            f"per label, with clips. {found.describe_left_out()}".rstrip()
        )
    beside = [clip.name for clip, part in parts.items() if len(part) == 1]
    if beside:
        raise InputError(
            f"The folder {folder} must hold one folder per label. Got {len(beside)} clips without "
            f"one, {shorten(beside, 3)}; move them into the folder of their label, or list the "
            "clips in a csv file."
        )
    for link, clip in found.again.items():
        labels = [path.relative_to(folder).parts[0] for path in (clip, link)]
        if labels[0] != labels[1]:
            raise InputError(
                f"A clip in {folder} must have one label. Got '{shorten(labels)}' for {clip}, "
                f"to which {link} is a link; remove one of them."
            )


def _compile(group_from: str) -> re.Pattern[str]:
    """The pattern as a regular expression."""
    if group_from.count("{group}") != 1:
        raise InputError(
            "The 'group_from' parameter of load_folder must hold '{group}' once, as in "
            f"'{{group}} - *'. Got {group_from!r} instead."
        )
    pieces = re.split(r"(\{group\}|\*)", group_from)
    named = {"{group}": "(?P<group>.+?)", "*": ".*"}
    return re.compile("".join(named.get(piece, re.escape(piece)) for piece in pieces))


def _match_groups(below: list[Path], pattern: re.Pattern[str], group_from: str | None) -> list[str]:
    """The group of every clip by its name."""
    whole = "/" in pattern.pattern
    names = [place.with_suffix("").as_posix() if whole else place.stem for place in below]
    matches = map(pattern.fullmatch, names)
    groups = [match["group"].strip() if match else "" for match in matches]
    odd = [name for name, group in zip(names, groups) if not group]
    if odd:
        raise InputError(
            f"The pattern group_from={group_from!r} must fit the name of every clip. It does not "
            f"fit {len(odd)} of {len(names)}, {shorten(odd, 3)}."
        )
    return groups

"""The user's own clips in folders, and any dataset by name or path."""

import functools
import glob
import inspect
import os
import re
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path, PurePosixPath
from typing import Literal

from skmer.audio.segment import ListedClip, Listing, Segment, file_of
from skmer.datasets import own_csv, registry
from skmer.datasets.files import AUDIO_SUFFIXES, find_audio_files
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils import files, messages, remote

# Text with separators: with any other ending a path must be one of a file that is there.
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")


def find_clips(
    inputs: Sequence[str | os.PathLike],
) -> tuple[dict[str, list], list[str]]:
    """Find the clips that files, folders, patterns and csv files stand for.

    Parameters
    ----------
    inputs : sequence of str or path-like
        Audio files; folders, searched to the bottom; patterns such as ``songs/*.mp3``; and csv
        files with a column ``path``, relative to the file. ``~`` is the home folder.

    Returns
    -------
    columns : dict of str to list
        The column "path", each clip once, with a `Segment` where it is a part of a file, and every
        other column of the csv files, None for clips that have no such value. What a csv file lists
        need not exist.
    left_out : list of str
        What folders hold beside audio, a sentence for each folder that does.
    """
    if isinstance(inputs, str | bytes | os.PathLike) or not messages.is_iterable(inputs):
        raise InputError(
            f"The 'inputs' must be a sequence of paths. Got {inputs!r}; write [path].",
            param="inputs",
        )
    clips, left_out = list_clips(inputs)
    found = list(clips)
    columns = {name: [one.cells.get(name) for one in found] for name in clips.columns}
    return {"path": [one.clip for one in found], **columns}, left_out


def list_clips(inputs, *, taken=()) -> tuple[Listing, list[str]]:
    """Find the clips that files, folders, patterns and csv files stand for; see `find_clips`.

    Csv files are read once to check them, and again each time, so that they may list any number of
    clips. A column that is called as one of `taken` gets another name.
    """
    left_out: list[str] = []
    parts = [_find_input(text, left_out) for text in inputs]

    def read():
        seen: set[int] = set()
        for part in parts:
            is_csv = isinstance(part, Path)
            for clip, cells in own_csv.stream_clips(part) if is_csv else zip(part, repeat({})):
                if len(parts) > 1:
                    if hash(clip) in seen:
                        continue
                    seen.add(hash(clip))
                renamed = {name: f"input_{name}" for name in cells if name in taken}
                yield ListedClip(clip, {renamed.get(one, one): cells[one] for one in cells})

    n_clips, has_segments, has_archives = 0, False, False
    names: dict[str, None] = {}
    for clip, cells in read():
        n_clips += 1
        names |= dict.fromkeys(cells)
        has_segments = has_segments or isinstance(clip, Segment)
        has_archives = has_archives or file_of(clip).lower().endswith(files.ARCHIVE_SUFFIXES)
    listing = Listing(read, tuple(names), None if has_archives else n_clips, has_segments)
    return listing, left_out


def _find_input(text, left_out: list[str]):
    """The clips of an input, or the path of a csv file of clips.

    What a folder holds beside audio is added to `left_out`.
    """
    if files.is_url(text) and not str(text).lower().endswith(".csv"):
        urls = remote.find_urls(str(text))
        named = [url for url in urls if PurePosixPath(url).suffix.lower() in AUDIO_SUFFIXES]
        return urls if urls == [text] else named
    path = files.expand_path(text)
    if path.is_dir():
        found = find_audio_files(path)
        described = found.describe_left_out()
        if not found.paths:
            raise InputError(
                f"The folder '{path}' holds no audio file that can be read. {described}".rstrip()
            )
        left_out += [f"{path}: {described}"] if described else []
        return [*map(str, found.paths)]
    if path.suffix.lower() == ".csv":
        return path
    matches = [path] if path.is_file() else sorted(map(Path, glob.glob(str(path), recursive=True)))
    if not matches:
        raise InputError(
            f"There is no file, folder or match of a pattern '{path}'.", param="inputs"
        )
    return [str(match) for match in matches if match.is_file()]


@registry.loader()
def load_folder(
    path: str | os.PathLike,
    *,
    group_from: str | None = None,
    path_column: str = "path",
    label_column: str = "label",
    group_column: str | None = None,
    target_columns: str | Sequence[str] | None = None,
    tags_column: str | None = None,
    tags_separator: str = ";",
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the user's own clips from a folder with one folder per label, or with a csv file.

    All files below are taken, at any depth, whose endings libsndfile or the usual decoders can
    read. Linked folders are followed once. Hidden files and folders, trash folders, broken links
    and files that are not audio are left out, and ``DESCR`` counts them.

    A csv file in the folder itself that has the column ``path``, and labels, groups, or what else
    is asked for, comes with the clips: each of its rows is of the clip of that path, or of that
    name, with or without the ending, in any folder below. Where it has no labels, the folders are
    the labels. Clips that it does not list are left out, with a warning.

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

    path_column, label_column, group_column, target_columns, tags_column, tags_separator : object
        Of a csv file in the folder, as in :func:`load_csv`.

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
            The groups, or None where there are none.
        frame : DataFrame, shape (n_clips, 2 or 3)
            path, label, and group where there are groups.
        DESCR : str
            Where the clips are, where the groups come from, and what was left out.

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
        If there are no groups.

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

    folder = files.expand_path(path).absolute()
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no folder {folder}. Check the path.")
    pattern = None if group_from is None else _compile(group_from)
    found = find_audio_files(folder)
    given = {
        "label_column": label_column, "group_column": group_column,
        "target_columns": target_columns, "tags_column": tags_column,
    }  # fmt: skip
    asked = {name: one for name, one in given.items() if one not in (None, "label")}
    if pattern is not None and group_column is not None:
        raise InputError(
            "Give one of the parameters 'group_from' and 'group_column' of load_folder, not both.",
            param="group_column",
        )
    table = _find_table(folder, path_column, asked) if asked or pattern is None else None
    groups = {} if pattern is None else _groups_of(folder, found.paths, pattern, group_from)
    if table is not None:
        columns = own_csv.Columns(path_column, label_column, group_column, tags=tags_column)
        asked_for = groups, columns, target_columns, tags_separator
        return _load_with_table(folder, found, table, *asked_for)
    below = [clip.relative_to(folder) for clip in found.paths]
    _check_labels(folder, found)
    labels = [place.parts[0] for place in below]
    frame = pd.DataFrame({"path": [str(clip) for clip in found.paths], "label": labels})
    below = [place.relative_to(label) for place, label in zip(below, labels)]
    if pattern is not None:
        frame["group"] = [groups[path] for path in frame["path"]]
        origin = f"Groups come from {group_from!r}."
    elif all(len(place.parts) > 1 for place in below):
        frame["group"] = [place.parts[0] for place in below]
        origin = "Groups are the folders inside the labels' folders."
    else:
        origin = "There are no groups."
        registry.warn_caller(f"{folder}: There are no groups. {_advise_groups(below)}")
    own_csv.unify_names(frame)
    return registry.make_bunch(
        frame,
        extra=f"{messages.counted(len(frame), 'clip')} below {folder}. {origin} "
        f"{found.describe_left_out()}".rstrip(),
        target_names=sorted(frame["label"].unique()),
    )


def _find_table(folder: Path, path_column: str, asked: dict) -> Path | None:
    """Return the csv file of a folder with its labels, groups, tags or numbers, if there is one."""
    wanted = [[one] if isinstance(one, str) else [*one] for one in asked.values()]
    needed = [[path_column, *chain(*wanted)]]
    needed = needed if asked else [[path_column, "label"], [path_column, "group"]]
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLE_SUFFIXES)
    found = [path for path in tables if any(own_csv.has_columns(path, names) for names in needed)]
    if len(found) > 1:
        raise InputError(
            f"The folder {folder} must have one csv file about its clips. Got "
            f"{messages.shorten(path.name for path in found)}; take one of them instead of the "
            "folder."
        )
    if asked and not found:
        raise InputError(
            f"{folder} must have a csv file with the columns "
            f"{messages.shorten(map(repr, needed[0]))}. Got "
            f"{messages.shorten(one.name for one in tables) or 'none'}.",
            param=next(iter(asked)),
        )
    return found[0] if found else None


def _groups_of(folder: Path, clips: list[Path], pattern: re.Pattern, group_from) -> dict[str, str]:
    """Return the group of every clip by its name."""
    below = [clip.relative_to(folder) for clip in clips]
    below = [Path(*place.parts[1:]) if len(place.parts) > 1 else place for place in below]
    whole = "/" in pattern.pattern
    names = [place.with_suffix("").as_posix() if whole else place.stem for place in below]
    matches = map(pattern.fullmatch, names)
    groups = [match["group"].strip() if match else "" for match in matches]
    odd = [name for name, group in zip(names, groups) if not group]
    if odd:
        raise InputError(
            f"The pattern group_from={group_from!r} must fit the name of every clip. It does not "
            f"fit {len(odd)} of {len(names)}, {messages.shorten(odd, 3)}.",
            param="group_from",
        )
    return dict(zip(map(str, clips), groups))


def _load_with_table(folder: Path, found, table: Path, groups, columns, targets, separator):
    """Load the clips of a folder with what its csv file has about them."""
    places = {str(clip): clip.relative_to(folder).parts for clip in found.paths}
    # A clip beside the folders has no label.
    labels = {clip: parts[0] if len(parts) > 1 else "" for clip, parts in places.items()}
    bunch = own_csv.load_listed(table, columns, targets, separator, labels=labels, groups=groups)
    listed = set(bunch.frame["path"])
    unlisted = [clip for clip in labels if clip not in listed]
    if "label" in bunch.frame and not all(bunch.frame["label"]):
        raise InputError(f"{table} has no column of labels, and clips are in no folder of a label.")
    if unlisted:
        registry.warn_caller(
            f"{messages.counted(len(unlisted), f'clip in {folder} is', f'clips in {folder} are')} "
            f"not listed in {table.name} and left out: {messages.shorten(unlisted, 3)}."
        )
        clips = "clip that it does not list is", "clips that it does not list are"
        bunch.DESCR += f" {messages.counted(len(unlisted), *clips)} left out."
    return bunch


# What stands between artist and title, in the order in which it is looked for.
_SEPARATORS = (" - ", " \u2013 ", " \u2014 ", "_-_", "__", "_", "-")


def _advise_groups(below: list[Path]) -> str:
    """Return how to get groups, if the names allow by a pattern to copy."""
    pattern = _suggest_pattern([place.stem for place in below])
    if pattern is None:
        return (
            "Put the clips of each artist into a folder inside that of the label, or a csv file "
            "with the columns path and group into the folder, or give a pattern of the names of "
            "the files, such as group_from='{group} - *'."
        )
    fits = [bool(_compile(pattern).fullmatch(place.stem)) for place in below]
    odd = [place.name for place, fit in zip(below, fits) if not fit]
    names = messages.counted(len(odd), "name is changed that does", "names are changed that do")
    rename = f", once {names} not fit, {messages.shorten(odd, 3)}"
    example = next(place.name for place, fit in zip(below, fits) if fit)
    return (
        f"The names of the files look like a pattern, such as {example!r}; take the artists from "
        f"them by group_from={pattern!r}{rename if odd else ''}."
    )


def _suggest_pattern(names: list[str]) -> str | None:
    """Return the pattern whose group, a part of the names, looks most like an artist.

    A separator has to be in nine of ten names. The artist is the part with letters that repeats
    most; single words may be anything, so that with "_" and "-" some part has to repeat.
    """
    for separator in _SEPARATORS:
        counts = {name.count(separator) for name in names} - {0}
        is_loose = separator.strip() == separator
        # The second is for tracks with numbers: "01. Artist - Title".
        patterns = [f"{{group}}{separator}*", f"*. {{group}}{separator}*"]
        if counts == {1}:
            patterns.append(f"*{separator}{{group}}")
        elif counts == {2}:
            patterns.append(f"*{separator}{{group}}{separator}*")
        found = {}
        for pattern in patterns:
            matches = [*filter(None, map(_compile(pattern).fullmatch, names))]
            groups = {match["group"].strip() for match in matches}
            if len(matches) < 0.9 * len(names):
                continue
            # Neither the number of a track nor one before the name of an artist.
            n_names = sum(bool(re.match(r"(?!\d+\W).*[^\W\d_]", one)) for one in groups)
            has_letters = n_names > len(groups) / 2
            if has_letters and len(groups) > 1 and (not is_loose or len(groups) < len(names)):
                found[pattern] = len(groups)
        if found:
            return min(found, key=found.__getitem__)
    return None


def _check_labels(folder: Path, found) -> None:
    """Raise unless every clip is in the folder of one label."""
    if not found.paths:
        raise DatasetNotFoundError(
            f"The folder {folder} holds no audio file that can be read. It must hold one folder "
            f"per label, with clips. {found.describe_left_out()}".rstrip()
        )
    beside = [clip.name for clip in found.paths if clip.parent == folder]
    if beside:
        raise InputError(
            f"The folder {folder} must hold one folder per label. Got "
            f"{messages.counted(len(beside), 'clip')} without one, {messages.shorten(beside, 3)}; "
            "move them into the folder of their label, or list the clips in a csv file."
        )
    for link, clip in found.again.items():
        labels = [path.relative_to(folder).parts[0] for path in (clip, link)]
        if labels[0] != labels[1]:
            raise InputError(
                f"A clip in {folder} must have one label. Got '{messages.shorten(labels)}' for "
                f"{clip}, to which {link} is a link; remove one of them."
            )


def _compile(group_from: str) -> re.Pattern[str]:
    """The pattern as a regular expression."""
    if group_from.count("{group}") != 1:
        raise InputError(
            "The 'group_from' parameter of load_folder must hold '{group}' once, as in "
            f"'{{group}} - *'. Got {group_from!r} instead.",
            param="group_from",
        )
    pieces = re.split(r"(\{group\}|\*)", group_from)
    named = {"{group}": "(?P<group>.+?)", "*": ".*"}
    return re.compile("".join(named.get(piece, re.escape(piece)) for piece in pieces))


def load_dataset(
    name: str | os.PathLike,
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    on_missing: Literal["raise", "keep"] = "raise",
    **options,
):
    """Load a dataset by its name, or the user's own clips by the path of a csv file or folder.

    Parameters
    ----------
    name : str or path-like
        A name that :func:`list_datasets` has; or the path of a csv file, as in :func:`load_csv`,
        or of a folder with one folder per label, as in :func:`load_folder`.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder.

    download_if_missing : bool, default=True
        If False, raise an error where the dataset is not in place.

    on_missing : {"raise", "keep"}, default="raise"
        As in :func:`load_csv`; of anything else all clips are there.

    **options
        What the dataset's own function, :func:`load_csv` or :func:`load_folder` takes besides; None
        is the default there.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        As from the dataset's own function.

    Raises
    ------
    ValueError
        If there is no dataset of that name, or a parameter is not for it.
    DatasetNotFoundError
        If there is no such file or folder, or the dataset is not in place, and may not or cannot
        be downloaded.

    See Also
    --------
    list_datasets : What the names stand for.

    Examples
    --------
    >>> from skmer.datasets import load_dataset
    >>> load_dataset("ravdess")
    Traceback (most recent call last):
        ...
    skmer.exceptions.InputError: The dataset must be one of toy, toy-tags, ravdess-song, emomusic,
    deam, 4q, bimodal, merge, pmemo, mtg-jamendo-moodtheme or the path of a .csv file or of a
    folder. Got 'ravdess'. Did you mean 'ravdess-song'?
    """
    path = None if isinstance(name, str) and name in registry.DATASETS else files.expand_path(name)
    if path is None:
        load, what = registry.DATASETS[str(name)].load, f"the dataset {name}"
    elif path.is_dir():
        load, what = functools.partial(load_folder, path), "a folder"
    elif path.is_file() or path.suffix.lower() in TABLE_SUFFIXES:
        load, what = functools.partial(own_csv.load_csv, path), "a csv file"
    elif not isinstance(name, str) or re.search(r"[/\\.]|^~", name):
        raise DatasetNotFoundError(f"The folder or csv file '{path}' does not exist.")
    else:
        raise InputError(
            f"The dataset must be one of {', '.join(registry.DATASETS)} or the path of a .csv file "
            f"or of a folder. Got {name!r}.{messages.suggest(name, registry.DATASETS)}",
            param="name",
        )
    options = {option: value for option, value in options.items() if value is not None}
    allowed = inspect.signature(load).parameters
    if odd := [option for option in options if option not in allowed]:
        raise InputError(
            f"The parameter '{odd[0]}' of load_dataset is not for {what}.", param=odd[0]
        )
    shared = {
        "data_home": data_home,
        "download_if_missing": download_if_missing,
        "on_missing": on_missing,
    }
    return load(**options, **{one: value for one, value in shared.items() if one in allowed})

"""The user's own clips in a csv file: labels, tags or numbers."""

import os
import re
import unicodedata
import warnings
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from skmer.audio.segment import Segment, is_name_of_end
from skmer.datasets.curves import TIME_COLUMNS, align_curves, read_curves
from skmer.datasets.registry import loader, make_bunch, warn_caller
from skmer.datasets.tables import CsvFile, indicators, read_csv_file, read_csv_parts
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils import files, labels, messages

# The encoding of bytes that are not UTF-8 and bear no mark.
_FALLBACK = "windows-1252"
_read = partial(read_csv_file, fallback=_FALLBACK)


@loader()
def load_csv(
    path: str | os.PathLike,
    *,
    path_column: str = "path",
    label_column: str = "label",
    group_column: str | None = None,
    start_column: str | None = None,
    end_column: str | None = None,
    target_columns: str | Sequence[str] | Mapping[str, str] | None = None,
    tags_column: str | None = None,
    tags_separator: str = ";",
    frames: bool = False,
    time_column: str | None = None,
    on_missing: Literal["raise", "keep"] = "raise",
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the user's own labelled clips from a csv file.

    The file is UTF-8, or UTF-16 or UTF-32 with a byte order mark. The separator (comma, semicolon,
    tab or vertical bar) is detected from the columns that are needed. ``DESCR`` states the
    detected format. Bytes that are not valid UTF-8 are read as Windows-1252, with a warning. No
    row is left out or shifted: a row that does not fit raises an error that names its line.

    Parameters
    ----------
    path : str or path-like
        A csv file with a header. Relative paths of clips are relative to it, and ``~`` is the
        home folder.

    path_column : str, default="path"
        The column of the audio files.

    label_column : str, default="label"
        The column of the labels. With ``target_columns`` it need not be there.

    group_column : str, default=None
        The column of the groups (artist, singer or album, whose clips must not be both in the
        training set and in the test set). By default ``group``, if there is such a column.

    start_column, end_column : str, default=None
        The columns with the limits of segments, if the clips are segments of files: seconds from
        the start of the file (milliseconds if the name ends in ``ms``), or timedeltas such as
        ``00:01:30``; an empty end is the end of the file. By default ``start`` and ``end``, if
        there are such columns; a ``duration`` beside a start is used if there is no end.

    target_columns : str or list of str, default=None
        Columns of numbers, such as arousal and valence, that are the ``target`` instead of the
        labels.

    tags_column : str, default=None
        A column with several tags per clip, such as ``dark;epic``, which are the ``target`` instead
        of the labels. An empty cell is a clip without a tag.

    tags_separator : str, default=";"
        The separator between two tags; white space around a tag is removed.

    frames : bool, default=False
        Whether ``target_columns`` change over time. The file then has a row a moment, with the path
        and the time; or a row a clip and columns such as ``arousal_15000ms`` (``arousal_15.5s``, or
        ``sample_15000ms`` where there is one target). Or ``target_columns`` is a dict of target to
        another csv file in one of these forms, ``{"arousal": "arousal.csv"}``, with its column
        behind ``#`` where that has another name, ``"dynamic.csv#Arousal(mean)"``; the first column
        there is one of this file, or else the names of the clips without their endings.
        An empty cell is a gap.

    time_column : str, default=None
        The column of the times [s] where a row is a moment; milliseconds, where the name ends in
        ``ms``. By default ``time`` or ``frameTime``, where there is such a column.

    on_missing : {"raise", "keep"}, default="raise"
        For clips that do not exist: raise an error that names them, or keep their rows, so that
        ``evaluate(..., on_error="skip")`` can leave them out.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the audio files; of parts of them `Segment` objects.
        target : ndarray of str, shape (n_clips,), or of numbers, shape (n_clips, n_targets)
            The labels, or the numbers of ``target_columns``, or 1 where a clip has a tag, else 0.
            With ``frames`` a dict of DataFrame, shape (n_clips, n_times), as
            :func:`~skmer.evaluation.evaluate_dynamic_regression` takes it: the columns are
            seconds, and NaN is a moment that lacks some target.
        target_names : list of str
            The different labels or tags, sorted, or ``target_columns``.
        groups : ndarray of str, shape (n_clips,), or None
            The groups, or None if the file has no such column. Without groups, all segments of
            one file are a group.
        frame : DataFrame, shape (n_clips, n_columns)
            The whole table, in the order of the file; the columns asked for are called path,
            label and group, and come first.
        DESCR : str
            Where the table comes from, and how it was read.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If the csv file, or a clip that it lists, does not exist; with "keep", if none of them does.
    ValueError
        If the file cannot be read as it is, is empty, lacks a column, has a row of another
        length than its header, lists a clip twice, or leaves a path, label, group or number
        empty.

    Warns
    -----
    UserWarning
        If the encoding had to be guessed.

    See Also
    --------
    load_folder : Clips in one folder per label.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skmer.datasets import load_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder, "clips.csv")
    ...     _ = table.write_text("path;mood;artist\\na.wav;happy;ann\\nb.wav;sad;bob\\n")
    ...     for name in ("a.wav", "b.wav"):
    ...         pathlib.Path(folder, name).touch()
    ...     dataset = load_csv(table, label_column="mood", group_column="artist")
    >>> dataset.target.tolist(), dataset.groups.tolist()
    (['happy', 'sad'], ['ann', 'bob'])
    >>> dataset.DESCR.split(". ")[-1]
    'The file was read as separated by semicolons.'
    """
    columns = Columns(
        path_column, label_column, group_column, start_column, end_column, tags_column, time_column
    )
    return load_listed(path, columns, target_columns, tags_separator, frames, on_missing)


class Columns(NamedTuple):
    """What the columns of a table are called; None: as usual, where there is one of that name."""

    path: str = "path"
    label: str = "label"
    group: str | None = None
    start: str | None = None
    end: str | None = None
    tags: str | None = None
    time: str | None = None

    @property
    def names(self) -> dict[str, str]:
        """What the columns become."""
        found = {self.path: "path", self.group or "group": "group"}
        found |= {} if self.tags else {self.label: "label"}
        return found | {self.start or "start": "start", self.end or "end": "end"}

    @property
    def asked(self) -> list[str]:
        """The columns of groups and of ends that must be there."""
        return [one for one in (self.group, self.start, self.end) if one is not None]


# What to do where a table lacks the columns that have these names unless the user gives others.
_ADVICE = {
    "path": "path_column=NAME for the files",
    "label": "label_column=NAME for the labels, tags_column=NAME for several tags a clip, or "
    "target_columns=NAMES for numbers",
    "tags": "tags_column=NAME for the tags",
}


def load_listed(
    path, columns, targets, separator, frames=False, on_missing="raise", labels=None, groups=None
):
    """Do what `load_csv` does.

    `labels` has the label, by the name of its folder, of every clip in a folder that comes with the
    file, and `groups` the groups where they are in the names. A clip that is not where the file has
    it is then the one of that name, or of that name but for its ending, and a file without labels
    needs none.
    """
    path = files.expand_path(path).absolute()
    targets = [targets] if isinstance(targets, str) else targets or ()
    _check_together(columns, targets, frames, separator)
    names, target, how = columns.names, None, ""
    if frames:
        file, frame, found, target, how = _read_moments(path, columns, targets)
    else:
        wanted = list(targets) or [columns.tags or columns.label]
        of_folder = wanted == ["label"] and labels and not has_columns(path, wanted)
        needed = [columns.path, *([] if of_folder else wanted), *columns.asked]
        may_be_empty = [columns.end or "end", columns.tags or ""]
        file = _read(path, needed, advice=_ADVICE)
        frame, found = _check_clips(file, needed, names, may_be_empty, labels or ())
        if of_folder:
            frame["label"] = [labels.get(clip, "") for clip in frame["path"]]
        for name in targets:
            frame[name] = file.numbers(name)
    if groups:
        frame["group"] = [groups.get(clip, "") for clip in frame["path"]]
    unify_names(frame)
    absent = [item for item in frame["path"] if not os.path.isfile(item)]
    if absent and (on_missing == "raise" or len(absent) == len(frame)):
        some = "; to go on without them, give on_missing='keep' and on_error='skip'"
        raise DatasetNotFoundError(
            f"{len(absent)} of the {len(frame)} clips listed in {path} do not exist: "
            f"{messages.shorten(absent, 3, width=200)}. Relative paths are relative to the csv file"
            f"{some if len(absent) < len(frame) and not labels else ''}."
        )
    if file.encoding == _FALLBACK:
        cells = [*file.frame.columns, *file.frame.to_numpy().ravel()]
        odd = next((cell for cell in cells if not cell.isascii()), "")
        warn_caller(
            f"{path} is not in UTF-8 and has no mark of its encoding; it was read as Windows-1252, "
            f"such as {messages.shorten([repr(odd)])}. Save it as UTF-8 if that is wrong."
        )
    how += file.describe()
    if "start" in frame:
        how += " They are parts of files, from start to end."
        if "group" not in frame and frame["path"].duplicated().any():
            frame["group"] = frame["path"]
            how += " The parts of a file are a group."
    used = {*names.values(), *targets, columns.tags, _duration_column(frame)}
    if unused := [name for name in frame if name not in used and not frames]:
        how += f" Columns that are not used: {messages.shorten(unused, 20)}."
    if columns.tags is not None:
        target = indicators(_split_tags(frame[columns.tags], separator, path))
    elif not targets:
        _warn_of_tags(frame["label"], path, columns.label)
    elif target is None:
        target = frame[list(targets)]
    return make_bunch(
        frame,
        data=frame.assign(path=found)["path"] if "start" in frame else None,
        extra=f"{messages.counted(len(frame), 'clip')} listed in {path}.{how}",
        target=target,
        target_names=list(targets)
        or (sorted(set(frame["label"])) if target is None else list(target.columns)),
    )


def _check_together(columns: Columns, targets, frames: bool, tags_separator: str) -> None:
    """Raise for parameters that exclude or need one another."""
    if targets and columns.tags is not None:
        raise InputError(
            "Give one of the parameters 'tags_column' and 'target_columns' of load_csv, not both.",
            param="tags_column",
        )
    if not tags_separator.strip(" "):
        raise messages.wrong_parameter("", "tags_separator", "a mark such as ';'", tags_separator)
    if frames and not targets:
        raise InputError(
            "With frames=True the 'target_columns' parameter must name what changes over time. "
            "Got none.",
            param="target_columns",
        )
    if not frames and (columns.time is not None or isinstance(targets, Mapping)):
        raise InputError(
            "The 'time_column' parameter, and a dict as 'target_columns', are for targets over "
            "time; give frames=True.",
            param="target_columns" if columns.time is None else "time_column",
        )


def unify_names(frame) -> None:
    """Bring labels and groups to one Unicode form in place, and warn of those that may be one."""
    for name in {"label", "group"} & set(frame):
        frame[name] = frame[name].map(labels.plain_text)
        labels.warn_of_alike(frame[name], f"The {name}s", warn_caller)


def _split_tags(cells, separator: str, path: Path) -> list[list[str]]:
    """The tags in each cell, in one Unicode form."""
    tags = [_tags_in(cell, separator) for cell in cells]
    different = sorted({tag for one in tags for tag in one})
    if not different:
        raise InputError(f"The {cells.name!r} in {path} must have a tag of some clip. Got none.")
    labels.warn_of_alike(different, f"The tags in {path}", warn_caller)
    other = _find_separator(different) if max(map(len, tags)) == 1 else None
    if other is not None:
        warn_caller(
            f"No {cells.name!r} in {path} has the separator {separator!r}, so that each clip has "
            f"at most one tag; they look as if they were separated by {other!r}."
        )
    return tags


# As Python, JSON and numpy write a list of texts.
_LIST = re.compile(r"""\[(?:[\s,]*(?:'[^']*'|"[^"]*"))*[\s,]*\]""")


def _tags_in(text: str, separator: str) -> list[str]:
    """The tags in a text, which may be a list in brackets and quotation marks."""
    quoted = [part for _, part in re.findall(r"""(['"])(.*?)\1""", text)]
    parts = quoted if _LIST.fullmatch(text) else text.split(separator)
    return [tag for part in parts if (tag := labels.plain_text(part))]


def _find_separator(texts: Sequence[str]) -> str | None:
    """The mark at which texts come apart into tags, of which some recur; None where they do not."""
    for separator in (";", "|", ",", "/", "+", "&"):
        tags = [tag for text in texts for tag in _tags_in(text, separator)]
        recur = len(set(tags)) < len(tags)
        # These two are in no name.
        recur |= separator in ";|" and sum(separator in text for text in texts) > 1
        if len(tags) > len(texts) and recur:
            return separator
    return None


def _warn_of_tags(labels, path: Path, label_column: str) -> None:
    """Warn where labels look like several tags each."""
    different = sorted(set(labels))
    separator = _find_separator(different)
    if separator is not None:
        warn_caller(
            f"The labels in {path} look like several tags each, such as "
            f"{max(different, key=lambda label: label.count(separator))!r}, and are taken for "
            f"{len(different)} labels; for tags, give tags_column={label_column!r} and "
            f"tags_separator={separator!r}."
        )


def stream_clips(path: Path):
    """Yield the clips that a csv file of any length lists, each with its other columns.

    A clip in two rows is an error.
    """
    names = {name: name for name in ("path", "start", "end")}
    # Eight bytes a clip, and its line, since all the clips would not fit into the memory.
    hashes, lines = array("q"), array("L")
    for part, file in enumerate(read_csv_parts(path, ["path"], fallback=_FALLBACK)):
        with warnings.catch_warnings():
            if part:
                # They were raised for the first rows.
                warnings.simplefilter("ignore")
            frame, clips = _check_clips(file, ["path"], names, ["end"])
        hashes.extend(map(hash, clips))
        lines.extend(file.lines)
        cells = frame.drop(columns=list(names), errors="ignore").to_dict("records")
        yield from zip(clips, cells or [{}] * len(clips))
    values, first = np.unique(hashes, return_index=True)
    if len(values) < len(hashes):
        twice = np.setdiff1d(np.arange(len(hashes)), first)[0]
        before = hashes.index(hashes[twice])
        raise InputError(
            f"{path} must list a clip once. Lines {lines[before]} and {lines[twice]} list the same."
        )


def _check_clips(file: CsvFile, needed, names: Mapping[str, str], may_be_empty, folder=()):
    """The table of a csv file with columns renamed and absolute paths, and its clips.

    Clips may be absent. Where they are parts of files, `start` and `end` become seconds. An empty
    cell in a column that is needed or renamed, and a clip in two rows, are errors that name the
    lines. `folder` has clips that are known by name.
    """
    path = file.path
    if not file.lines:
        raise InputError(f"{path} must list at least one clip. Got a header and no rows.")
    frame = file.named_columns()
    for name in dict.fromkeys([*needed, *(name for name in names if name in frame)]):
        file.require_filled(frame[name], may_be_empty=name in may_be_empty)
    frame = frame.rename(columns=names)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(
            f"{path} must have every column once. Got {messages.shorten(map(repr, twice))} twice; "
            f"{messages.shorten(names)} become {messages.shorten(names.values())}, rename another "
            "one of that name."
        )
    known = _by_name(folder)
    frame["path"] = [
        text if files.is_url(text) else known.get(text, _place(path.parent, text))
        for text in frame["path"]
    ]
    clips = _read_segments(file, frame, names)
    look_alike = _find_other_ends(file, frame, names)
    first: dict[str | Segment, int] = {}
    for row, clip in enumerate(clips):
        before = first.setdefault(clip, row)
        if before != row:
            labels = frame.loc[[before, row], "label"].tolist() if "label" in frame else [0, 0]
            differ = f" as {labels[0]} and as {labels[1]}" if labels[0] != labels[1] else ""
            over_time = any(name in file.frame for name in TIME_COLUMNS)
            hint = " Where a row is a moment, give frames=True." if over_time else look_alike
            raise InputError(
                f"{path} must list a clip once, or it may be trained on and tested on at once. "
                f"Lines {file.lines[before]} and {file.lines[row]} list {clip}{differ}.{hint}"
            )
    if look_alike and "start" in frame:
        raise InputError(f"{path}:{look_alike} Else rename them.", param="start_column")
    if look_alike:
        warn_caller(f"{path}:{look_alike}")
    return frame, clips


_LENGTHS = ("dur", "length")


def _duration_column(frame) -> str | None:
    """Return the column of the lengths of parts of files, which have a start; None without one."""
    lengths = [name for name in frame if name.lower().startswith(_LENGTHS) and is_name_of_end(name)]
    return lengths[0] if lengths and "start" in frame else None


def _find_other_ends(file: CsvFile, frame, names: Mapping[str, str]) -> str:
    """Return a sentence on columns that look like the ends of parts of files and are not used."""
    others = [name for name in file.frame if name not in names and is_name_of_end(name)]
    used = {names.get(name) for name in file.frame} & {"start", "end"}
    # A duration alone is that of the file.
    is_of_file = not used and all(name.lower().startswith(_LENGTHS) for name in others)
    if not others or is_of_file or len(used) == 2 or ("start" in used and _duration_column(frame)):
        return ""
    return (
        f" The columns {messages.shorten(map(repr, others))} look like parts of files, and are not "
        "used; if rows are parts, name the columns of their first and last second start and end."
    )


def _place(folder: Path, text: str) -> str:
    """The path of a clip: a table from Windows may have backslashes, and one from a Mac NFD."""
    plain = text.replace("\\", "/")
    forms = [text, plain, *(unicodedata.normalize(form, plain) for form in ("NFC", "NFD"))]
    places = [os.path.normpath(folder / os.path.expanduser(form)) for form in forms]
    return next(filter(os.path.exists, places), places[1])


def has_columns(path: Path, names: Sequence[str]) -> bool:
    """Whether a csv file has columns of these names."""
    with suppress(InputError, OSError):
        return bool(_read(path, names))
    return False


def _by_name(clips) -> dict[str, str]:
    """Clips by the name of the file, with and without its ending; only names that one clip has."""
    found: dict[str, set[str]] = {}
    for clip in clips:
        for name in (os.path.basename(clip), Path(clip).stem):
            found.setdefault(name, set()).add(clip)
    return {name: of_name.pop() for name, of_name in found.items() if len(of_name) == 1}


def _read_segments(file: CsvFile, frame, names: Mapping[str, str]) -> list:
    """The clips of a table; of parts of files, `start` and `end` become seconds.

    Where there is no column of the ends, it is made of the starts and a column of durations.
    """
    if "start" not in frame and "end" not in frame:
        return list(frame["path"])
    segments = []
    columns = {names[name]: name for name in names if name in file.frame}
    length = None if "end" in frame else _duration_column(frame)
    kind = "duration" if length else "end"
    columns |= {"duration": length} if length else {}
    unit = {one: "ms" for one, name in columns.items() if name.lower().endswith("ms")}
    starts = frame.get("start", ["0"] * len(frame))
    ends = frame.get(length or "end", [""] * len(frame))
    for line, path, start, end in zip(file.lines, frame["path"], starts, ends):
        try:
            limit = {kind: end + unit.get(kind, "") if end else None}
            segments.append(Segment.of(path, start + unit.get("start", ""), **limit))
        except InputError as error:
            raise InputError(
                f"The columns of start and end in {file.path} are parts of the files; rename what "
                f"is something else. Line {line}: {error}",
                param="start_column",
            ) from None
    frame["start"] = [one.start for one in segments]
    frame["end"] = np.array([one.end for one in segments], dtype=float)
    return segments


def _require_one_value(file: CsvFile, key: str, columns) -> None:
    """Raise where the moments of a clip are in several groups or parts of files."""
    for column in columns:
        differ = file.frame.groupby(key)[column].transform("nunique").to_numpy() > 1
        if differ.any():
            raise InputError(
                f"{file.path} must have all moments of a clip in one {column}. Those of the clip "
                f"in line {file.lines[differ.argmax()]} are in several."
            )


def _read_moments(path: Path, columns: Columns, targets):
    """Return a csv file with a row a clip, its table and clips, curves, and how they were read.

    The curves are frames with a row a clip, in the order of the table, and a column a time [s].
    """
    needed, names, unused = [columns.path, *columns.asked], columns.names, 0
    may_be_empty = [columns.end or "end"]
    if not isinstance(targets, Mapping):
        whole = _read(path, [*needed, *filter(None, [columns.time])])
        found = read_curves(whole, needed[0], dict(zip(targets, targets)), columns.time)
        first = ~whole.frame[needed[0]].duplicated().to_numpy()
        constant = {name for name in names if names[name] in ("group", "start", "end")}
        _require_one_value(whole, needed[0], sorted(constant & set(whole.frame)))
        lines = [line for line, kept in zip(whole.lines, first) if kept]
        file = whole._replace(lines=lines, frame=whole.frame[first].reset_index(drop=True))
        frame, clips = _check_clips(file, needed, names, may_be_empty)
        frame = frame.filter(["path", "group", "start", "end"]).copy()
        keys = dict.fromkeys(found, file.frame[needed[0]])
    else:
        file = _read(path, needed)
        frame, clips = _check_clips(file, needed, names, may_be_empty)
        found, keys = {}, {}
        for name, place in targets.items():
            table, column = _open(path.parent, str(place))
            key = next(iter(table.frame))
            found |= read_curves(table, key, {name: column or name}, columns.time)
            stems = [Path(clip).stem for clip in frame["path"]]
            keys[name] = list(file.frame[key]) if key in file.frame else stems
            lacking = [one for one in keys[name] if one not in found[name].index]
            if lacking:
                raise InputError(
                    f"{table.path} must have the {name} of every clip, by its {key!r}. It lacks "
                    f"{messages.shorten(lacking)}, {len(lacking)} of {len(frame)}.",
                    param="target_columns",
                )
            unused = max(unused, len(found[name].index.difference(keys[name])))
    curves = {
        name: curve.loc[list(keys[name])].set_axis(frame["path"]) for name, curve in found.items()
    }
    curves, n_gaps = align_curves(curves, file)
    for name, curve in curves.items():
        frame[name] = curve.mean(axis=1).to_numpy()
    n_moments = next(iter(curves.values())).notna().to_numpy().sum()
    gaps = "that lacks one of the targets is", "that lack one of the targets are"
    others = "row of other clips is", "rows of other clips are"
    described = f" {messages.counted(n_moments, 'moment')}"
    described += f"; {messages.counted(n_gaps, *gaps)} left out." if n_gaps else "."
    described += f" {messages.counted(unused, *others)} not used." if unused else ""
    return file, frame, clips, curves, described


def _open(folder: Path, place: str) -> tuple[CsvFile, str | None]:
    """Return the table that ``FILE`` or ``FILE#COLUMN`` names, and the column."""
    name, _, column = place.partition("#")
    path = folder / files.expand_path(name)
    if not path.is_file():
        raise InputError(
            f"The csv files of targets must exist, relative to the table. There is no {path}.",
            param="target_columns",
        )
    return _read(path, [column] if column else []), column or None

"""MERGE, a bimodal dataset of songs and lyrics in four quadrants; here its audio.

The dataset is published at

    https://doi.org/10.5281/zenodo.13939205

It follows 4Q and Bi-modal, whose songs are in it under the same codes: all of 4Q and most of
Bi-modal. There are versions with all songs and with as many in each quadrant, of the audio and of
the songs that have lyrics too. Quadrants, arousal and valence are computed from AllMusic's words
for the moods of a song. The record states the MD5 of every archive.

References
----------

Louro, P. L., Redinho, H., Santos, R., Malheiro, R., Panda, R., and Paiva, R. P., MERGE - a
bimodal dataset for static music emotion recognition, arXiv:2407.06060, 2024.
"""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from skmer.datasets.fetch import Archive, download_and_unpack, get_data_home
from skmer.datasets.files import audio_suffixes, find_table, find_tables, match_audio, match_songs
from skmer.datasets.info import (
    FETCH_CONSTRAINTS,
    AffectScale,
    DatasetInfo,
    describe,
    describe_split,
    make_bunch,
)
from skmer.datasets.tables import (
    ANEW,
    QUADRANTS,
    artist_groups,
    by_song,
    numbers,
    read_csv_file,
    read_quadrants,
    require_songs,
)
from skmer.datasets.validate import (
    Finding,
    check_presence,
    check_total,
    find_misplaced,
    warn_of_cut_table,
)
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils.estimators import StrOptions, validate_params
from skmer.utils.messages import cut_middle

_TIMEOUT = 20.0


def find_in_record(doi: str, filename: str) -> Archive:
    """The archive of that name in the record, as its repository lists it."""
    import pooch
    import requests
    from pooch.downloaders import doi_to_repository

    try:
        repository = doi_to_repository(doi, timeout=_TIMEOUT)
        files = pooch.create(path="", base_url="", registry={})
        repository.populate_registry(files)
        url = repository.download_url(filename)
    except requests.exceptions.RequestException as error:
        raise DatasetNotFoundError(
            f"The record https://doi.org/{doi}, which lists {filename}, cannot be asked: "
            f"{type(error).__name__}. Try again later, or fetch the file by hand."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The record https://doi.org/{doi} must list {filename}. It does not; fetch the file "
            "by hand."
        ) from error
    kind, checksum = files.registry[filename].split(":")
    return Archive(filename, url, **{"sha256": None, kind: checksum})


SCALE = AffectScale("from mood words", 0.0, 1.0)
PARTS = {"train": "train", "validate": "validation", "test": "test"}
SPLITS = ("70_15_15", "40_30_30")


def table_names(version: str, splits: str) -> dict[str, str]:
    """Files of a version, by what they hold."""
    parts = {part: f"tvt_{splits}_{name}_{version}.csv" for name, part in PARTS.items()}
    return {
        "metadata": f"merge_{version}_metadata.csv",
        "values": f"merge_{version}_av_values.csv",
        **parts,
    }


def read_annotations(paths: Mapping[str, Path]):
    """Table of the songs in the order of the metadata, from the files by what they hold."""
    metadata = _read(paths["metadata"], ("Song", "Quadrant", "Artist", "Title"))
    values = _read(paths["values"], ("Song", "Arousal", "Valence"))
    name, of = paths["metadata"].name, paths["values"].name
    require_songs(metadata.index, values.index, of, name)
    require_songs(values.index, metadata.index, name, of)
    artists = metadata["Artist"].map(lambda text: " ".join(text.split()))
    frame = metadata[[]].copy()
    frame["label"] = read_quadrants(metadata["Quadrant"], name)
    frame["group"] = artist_groups(artists, metadata.index.to_series())
    frame["artist"] = artists
    frame["title"] = metadata["Title"]
    frame["split"] = _read_parts(metadata, paths)
    for axis in ("arousal", "valence"):
        labels = numbers(values[axis.capitalize()].loc[frame.index], of)
        frame[axis] = SCALE.check(labels, what=f"{axis} labels in {of}")
    return frame.rename_axis("song").reset_index()


def _read(path: Path, columns: tuple[str, ...]):
    """Table of a file by song; lists in quotation marks may go over lines."""
    frame = read_csv_file(path, columns, separators=",", fallback="windows-1252").frame
    return by_song(frame[list(columns)], "Song", path.name)


def _read_parts(metadata, paths: Mapping[str, Path]):
    """The part of the published split that each song is in; every song is in one."""
    import pandas as pd

    parts = pd.Series("", index=metadata.index)
    for part in PARTS.values():
        path = paths[part]
        table = _read(path, ("Song", "Quadrant"))
        require_songs(table.index, metadata.index, paths["metadata"].name, path.name)
        twice = table.index[parts[table.index] != ""]
        if len(twice):
            raise InputError(
                f"A song must be in one part of the split. {cut_middle(twice[0], 50)} is in "
                f"{path.name} and in the part '{parts[twice[0]]}'; {ANEW}."
            )
        labels = read_quadrants(table["Quadrant"], path.name)
        other = read_quadrants(metadata.loc[table.index, "Quadrant"], paths["metadata"].name)
        wrong = [song for song, one, two in zip(table.index, labels, other) if one != two]
        if wrong:
            raise InputError(
                f"{path.name} and {paths['metadata'].name} must give a song the same quadrant. "
                f"They do not for {len(wrong)} songs, such as {cut_middle(wrong[0], 50)}; {ANEW}."
            )
        parts[table.index] = part
    rest = parts.index[parts == ""]
    if len(rest):
        raise InputError(
            f"The parts of the split must hold every song of {paths['metadata'].name}. "
            f"{len(rest)} are in none, such as {cut_middle(rest[0], 50)}; {ANEW}."
        )
    return parts


# Songs of each version.
VERSIONS = {
    "audio_complete": 3554,
    "audio_balanced": 3232,
    "bimodal_complete": 2216,
    "bimodal_balanced": 2000,
}
INFO = DatasetInfo(
    name="merge",
    title="MERGE",
    n_clips=VERSIONS["audio_complete"],
    # How many songs of the complete versions are in each quadrant is not known here.
    class_counts={},
    groups="artists",
    licence="not stated; the music belongs to its owners",
    citation="""@article{louro2024merge,
  author = {Louro, Pedro Lima and Redinho, Hugo and Santos, Ricardo and Malheiro, Ricardo and
            Panda, Renato and Paiva, Rui Pedro},
  title = {{MERGE} -- A bimodal dataset for static music emotion recognition},
  journal = {arXiv:2407.06060},
  year = {2024},
}""",
    url="https://doi.org/10.5281/zenodo.13939205",
    downloadable=True,
    contains=("4q", "bimodal"),
)
DOI = "10.5281/zenodo.13939205"
FOLDER = "merge"
CHECKED = "songs, quadrants and splits of the annotations, folders and names of the clips"


@validate_params(
    FETCH_CONSTRAINTS
    | {
        "version": [StrOptions(set(VERSIONS))],
        "splits": [StrOptions(set(SPLITS))],
        "target": [StrOptions({"quadrant", "arousal_valence"})],
    },
    prefer_skip_nested_validation=True,
)
def fetch_merge(
    version: Literal[
        "audio_complete", "audio_balanced", "bimodal_complete", "bimodal_balanced"
    ] = "audio_complete",
    *,
    splits: Literal["70_15_15", "40_30_30"] = "70_15_15",
    target: Literal["quadrant", "arousal_valence"] = "quadrant",
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the audio of a version of MERGE, from its folder or from Zenodo.

    =========   ==================================================================
    Clips       audio: 3554 or, balanced, 3232; bimodal: 2216 or 2000; of 30 s
    Targets     quadrants; or arousal and valence, 0 to 1, from mood words
    Groups      artists
    Licence     not stated; the music belongs to its owners
    =========   ==================================================================

    Parameters
    ----------
    version : {"audio_complete", "audio_balanced", "bimodal_complete", "bimodal_balanced"}, \
            default="audio_complete"
        All songs, or as many in each quadrant; of the audio, or of those songs that have lyrics
        in the dataset, whose audio is used alone.

    splits : {"70_15_15", "40_30_30"}, default="70_15_15"
        Which of the two published splits ``split`` is: percentages to train, to validate and to
        test.

    target : {"quadrant", "arousal_valence"}, default="quadrant"
        The quadrants, or arousal and valence from 0 to 1. The latter were computed from mood
        words, and a warning says so.

    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``, else the
        user's data folder. The unpacked archive of the version is looked for in
        ``<data_home>/merge``, at any depth.

    download_if_missing : bool, default=True
        If False, raise an error where annotations or clips are not in place. Clips are not
        downloaded where only some are in place.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas objects.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of the metadata.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        split : ndarray of str, shape (n_clips,)
            "train", "validation" or "test", for :class:`~skmer.evaluation.FixedSplit`.
        frame : DataFrame, shape (n_clips, 9)
            path, label, group; song, artist, title, split, arousal, valence.
        DESCR : str
            Description, licence and citation; how many test songs are by artists of the rest,
            and how many songs share their pair of arousal and valence.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If files are not in place, and may not or cannot be downloaded.
    ValueError
        If a table or an archive is not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If songs are missing in the tables, or clips are; songs without a clip are left out.
    UserWarning
        If arousal and valence are the target.

    References
    ----------
    .. [1] Louro, P. L., et al., "MERGE - a bimodal dataset for static music emotion recognition",
       arXiv:2407.06060, 2024.

    Examples
    --------
    >>> from skmer.datasets import fetch_merge
    >>> dataset = fetch_merge("bimodal_balanced", splits="40_30_30")  # doctest: +SKIP
    """
    folder = get_data_home(data_home) / FOLDER
    names = table_names(version, splits)
    tables = find_tables(folder, names.values())
    if names["metadata"] not in tables:
        _download(version, folder, download_if_missing)
    frame = read_annotations({what: find_table(folder, (n,), INFO) for what, n in names.items()})
    warn_of_cut_table(len(frame), VERSIONS[version], names["metadata"], INFO)
    if target == "arousal_valence":
        warnings.warn(
            "Arousal and valence of MERGE were computed from the mood words of each song: "
            f"{_count_shared_pairs(frame)} of {len(frame)} songs share their pair of values with "
            "another, and what learns them learns tags.",
            UserWarning,
            stacklevel=4,
        )
    descr = describe(INFO) + describe_split(frame["group"], frame["split"])
    descr += (
        f"\n{_count_shared_pairs(frame)} of the {len(frame)} songs share their pair of arousal and "
        "valence with another song.\n"
    )
    frame = match_audio(frame, folder, INFO, exact=True)
    columns = ["path", "label", "group"]
    return make_bunch(
        frame[columns + [name for name in frame if name not in columns]],
        descr=descr,
        target_names=QUADRANTS if target == "quadrant" else ("arousal", "valence"),
        target_columns="label" if target == "quadrant" else ["arousal", "valence"],
        return_X_y=return_X_y,
        as_frame=as_frame,
        scale=None if target == "quadrant" else SCALE,
        split=frame["split"] if as_frame else frame["split"].to_numpy(dtype=str),
    )


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """Check the tables and clips of every version that is in place."""
    findings: list[Finding] = []
    known: dict[str, Path | None] = {}
    wrong: dict[str, str] = {}
    for version, n_songs in VERSIONS.items():
        names = {splits: table_names(version, splits) for splits in SPLITS}
        tables = find_tables(folder, [name for each in names.values() for name in each.values()])
        if not tables:
            continue
        for splits in SPLITS:
            table = f"merge_{version}_metadata.csv, {splits}"
            missing = [name for name in names[splits].values() if name not in tables]
            findings += [Finding(name, "missing") for name in missing]
            if missing:
                continue
            try:
                frame = read_annotations({k: tables[name] for k, name in names[splits].items()})
            except ValueError as error:
                findings.append(Finding(table, "wrong", str(error).rstrip(".")))
                continue
            findings.append(check_total(table, len(frame), n_songs))
            audio = match_songs(frame["song"], folder, exact=True)
            paths = {song: audio.get(song) for song in frame["song"]}
            known |= paths
            wrong |= find_misplaced(paths, frame["label"])
    if not findings:
        findings = [Finding(table_names("audio_complete", SPLITS[0])["metadata"], "missing")]
    unique = {(finding.file, finding.status): finding for finding in findings}
    return [*unique.values(), *check_presence(known, folder, wrong)]


def _count_shared_pairs(frame) -> int:
    """Songs whose arousal and valence are exactly those of another song."""
    return int(frame.duplicated(["arousal", "valence"], keep=False).sum())


def _download(version: str, folder: Path, download_if_missing: bool) -> None:
    """Fetch the archive of a version, or say where it goes."""
    filename = f"MERGE_{version.title()}.zip"
    if not download_if_missing:
        raise DatasetNotFoundError(
            f"There is no {table_names(version, SPLITS[0])['metadata']} of MERGE in {folder}. "
            f"Unpack {filename} from {INFO.url} there, or let 'fetch_merge' download it."
        )
    download_and_unpack(find_in_record(DOI, filename), folder, wanted=_place_in_archive)


def _place_in_archive(member: str) -> str | None:
    """Where a file of an archive goes: where it is in it, if it is a table or audio."""
    path = PurePosixPath(member)
    if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
        return None
    return member if path.suffix.lower() in {".csv", *audio_suffixes()} else None

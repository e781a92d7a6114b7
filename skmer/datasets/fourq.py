"""The 4Q audio emotion dataset: 900 clips, 225 in each quadrant.

Published, as "4Q audio emotion dataset (Russell's model)", at

    http://mir.dei.uc.pt/downloads.html

It cannot be downloaded by a program. The archive holds a folder for each quadrant, and two csv
files with the annotations and with what AllMusic says of the songs.

References
----------

Panda, R., Malheiro, R., and Paiva, R. P., Novel audio features for music emotion recognition,
IEEE Transactions on Affective Computing 11(4), 614-626, 2020.
"""

import os
from pathlib import Path

from skmer.datasets.fetch import get_data_home
from skmer.datasets.files import find_table, match_audio, match_songs
from skmer.datasets.info import FETCH_CONSTRAINTS, DatasetInfo, describe, make_bunch
from skmer.datasets.tables import QUADRANTS, artist_groups, read_csv_file, read_quadrants
from skmer.datasets.validate import (
    Finding,
    check_counts,
    check_presence,
    find_misplaced,
    warn_of_cut_table,
)
from skmer.utils.estimators import validate_params

INFO = DatasetInfo(
    name="4q",
    title="4Q audio emotion dataset",
    n_clips=900,
    class_counts=dict.fromkeys(QUADRANTS, 225),
    groups="artists",
    licence="for research; the music belongs to its owners",
    citation="""@article{panda2020novel,
  author = {Panda, Renato and Malheiro, Ricardo and Paiva, Rui Pedro},
  title = {Novel audio features for music emotion recognition},
  journal = {IEEE Transactions on Affective Computing},
  volume = {11},
  number = {4},
  pages = {614--626},
  year = {2020},
  doi = {10.1109/TAFFC.2018.2820691},
}""",
    url="http://mir.dei.uc.pt/downloads.html",
    downloadable=False,
)
FOLDER = "4q"
CHECKED = "annotations, folders and names of the clips"
ANNOTATIONS = "panda_dataset_taffc_annotations.csv"
METADATA = "panda_dataset_taffc_metadata.csv"


@validate_params(FETCH_CONSTRAINTS, prefer_skip_nested_validation=True)
def fetch_4q(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the 4Q audio emotion dataset from its folder.

    =========   ==========================================================
    Clips       900, of about 30 s
    Classes     Q1, Q2, Q3, Q4, 225 clips each
    Groups      artists
    Licence     for research; the music belongs to its owners
    =========   ==========================================================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder. The unpacked archive is looked for in
        ``<data_home>/4q``, at any depth.

    download_if_missing : bool, default=True
        Without effect: the publisher does not let programs download it.

    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of a Bunch.

    as_frame : bool, default=False
        If True, ``data``, ``target`` and ``groups`` are pandas Series.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of the annotations.
        target : ndarray of str, shape (n_clips,)
            The quadrants.
        target_names : list of str
            The four quadrants.
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        frame : DataFrame, shape (n_clips, 6)
            path, label, group; song, artist, title.
        DESCR : str
            Description, counts, licence and citation.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If the dataset is not in place.
    ValueError
        If the annotations are not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If clips are missing; their songs are left out.

    References
    ----------
    .. [1] Panda, R., Malheiro, R., and Paiva, R. P., "Novel audio features for music emotion
       recognition", IEEE Transactions on Affective Computing 11(4), 614-626, 2020.

    Examples
    --------
    >>> from skmer.datasets import fetch_4q
    >>> dataset = fetch_4q(data_home="my_data")  # doctest: +SKIP
    """
    folder = get_data_home(data_home) / FOLDER
    frame = read_table(folder)
    warn_of_cut_table(len(frame), INFO.n_clips, ANNOTATIONS, INFO)
    return make_bunch(
        match_audio(frame, folder, INFO),
        descr=describe(INFO),
        target_names=QUADRANTS,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def read_table(folder: Path):
    """Annotations and artists of the songs, in the order of the annotations."""
    annotations = _read(folder, ANNOTATIONS, ("Song", "Quadrant"))
    metadata = _read(folder, METADATA, ("Song", "Artist", "Title"))
    metadata = metadata.drop_duplicates("Song").set_index("Song")
    frame = annotations[["Song"]].rename(columns={"Song": "song"})
    frame.insert(0, "label", read_quadrants(annotations["Quadrant"], ANNOTATIONS))
    artist = frame["song"].map(metadata["Artist"]).fillna("")
    frame.insert(1, "group", artist_groups(artist, frame["song"]))
    frame["artist"] = artist
    frame["title"] = frame["song"].map(metadata["Title"]).fillna("")
    return frame


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts and with the folders of the clips."""
    try:
        frame = read_table(folder)
    except ValueError as error:
        return [Finding(ANNOTATIONS, "wrong", str(error).rstrip("."))]
    audio = match_songs(frame["song"], folder)
    paths = {song: audio.get(song) for song in frame["song"]}
    return [
        check_counts(ANNOTATIONS, frame["label"], INFO),
        *check_presence(paths, folder, find_misplaced(paths, frame["label"])),
    ]


def _read(folder: Path, name: str, columns: tuple[str, ...]):
    """Table of a file at any depth."""
    path = find_table(folder, (name,), INFO)
    return read_csv_file(path, columns, separators=",", fallback="latin-1").frame

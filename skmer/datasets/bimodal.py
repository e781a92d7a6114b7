"""The audio part of the Bi-modal emotion dataset: 162 clips in four quadrants.

Published, as "Bi-modal (audio and lyrics) emotion dataset (Russell's model)", at

    http://mir.dei.uc.pt/downloads.html

It cannot be downloaded by a program. The archive holds the clips in one folder, and a workbook
whose table of annotations begins below some lines of text.

References
----------

Malheiro, R., Panda, R., Gomes, P., and Paiva, R. P., Bi-modal music emotion recognition: Novel
lyrical features and dataset, 9th International Workshop on Music and Machine Learning, 2016.
"""

import os
from pathlib import Path

from skmer.datasets.fetch import get_data_home
from skmer.datasets.files import find_table, match_audio, match_songs
from skmer.datasets.info import FETCH_CONSTRAINTS, AffectScale, DatasetInfo, describe, make_bunch
from skmer.datasets.tables import artist_groups, read_quadrants
from skmer.datasets.validate import Finding, check_counts, check_presence, warn_of_cut_table
from skmer.exceptions import InputError
from skmer.utils.estimators import validate_params

INFO = DatasetInfo(
    name="bimodal",
    title="Bi-modal emotion dataset",
    n_clips=162,
    class_counts={"Q1": 52, "Q2": 45, "Q3": 31, "Q4": 34},
    groups="artists, where named",
    licence="for research; the music belongs to its owners",
    citation="""@inproceedings{malheiro2016bimodal,
  author = {Malheiro, Ricardo and Panda, Renato and Gomes, Paulo and Paiva, Rui Pedro},
  title = {Bi-modal music emotion recognition: Novel lyrical features and dataset},
  booktitle = {9th International Workshop on Music and Machine Learning},
  year = {2016},
}""",
    url="http://mir.dei.uc.pt/downloads.html",
    downloadable=False,
)
FOLDER = "bimodal"
CHECKED = "annotations and names of the clips"
TABLES = ("MER-Audio-dataset.xlsx", "MER-Audio-dataset.xls")
SCALE = AffectScale("annotated", -4.0, 4.0)


@validate_params(FETCH_CONSTRAINTS, prefer_skip_nested_validation=True)
def fetch_bimodal(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the audio part of the Bi-modal emotion dataset from its folder.

    =========   ==========================================================
    Clips       162, of about 30 s
    Classes     Q1 52, Q2 45, Q3 31, Q4 34
    Groups      artists, where the annotations name them
    Licence     for research; the music belongs to its owners
    =========   ==========================================================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder of the datasets; by default the environment variable ``SKMER_DATA``,
        else the user's data folder. The unpacked archive is looked for in
        ``<data_home>/bimodal``, at any depth.

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
        groups : ndarray of str, shape (n_clips,), or None
            The artists, or None where the annotations name none.
        scale : AffectScale
            The unit of the columns arousal and valence of ``frame``, -4 to 4.
        frame : DataFrame, shape (n_clips, n_columns)
            path, label, group (where there are artists); song, valence, arousal.
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
    .. [1] Malheiro, R., et al., "Bi-modal music emotion recognition: Novel lyrical features
       and dataset", 9th International Workshop on Music and Machine Learning, 2016.

    Examples
    --------
    >>> from skmer.datasets import fetch_bimodal
    >>> dataset = fetch_bimodal(data_home="my_data")  # doctest: +SKIP
    """
    folder = get_data_home(data_home) / FOLDER
    frame = read_table(folder)
    warn_of_cut_table(len(frame), INFO.n_clips, "MER-Audio-dataset", INFO)
    return make_bunch(
        match_audio(frame, folder, INFO),
        descr=describe(INFO),
        target_names=list(INFO.class_counts),
        return_X_y=return_X_y,
        as_frame=as_frame,
        scale=SCALE,
    )


def read_table(folder: Path):
    """Annotations of the songs, in the order of the workbook."""
    path = find_table(folder, TABLES, INFO)
    sheet = _read_sheet(path)
    frame = sheet[["song code"]].set_axis(["song"], axis=1)
    frame.insert(0, "label", read_quadrants(sheet["quadrant"], path.name))
    if "artist" in sheet:
        artist = sheet["artist"].astype(str)
        frame.insert(1, "group", artist_groups(artist, frame["song"]))
    for axis in ("valence", "arousal"):
        frame[axis] = SCALE.check(sheet[f"avg_{axis}"], what=f"{axis} labels of {path.name}")
    return frame


def validate(folder: Path, *, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts, and see that the clips are there."""
    try:
        frame = read_table(folder)
    except ValueError as error:
        return [Finding("MER-Audio-dataset", "wrong", str(error).rstrip("."))]
    audio = match_songs(frame["song"], folder)
    paths = {song: audio.get(song) for song in frame["song"]}
    return [
        check_counts("MER-Audio-dataset", frame["label"], INFO),
        *check_presence(paths, folder),
    ]


def _read_sheet(path: Path):
    """Rows of the workbook below the line of headings, by lower-case heading."""
    import pandas as pd

    rows = _read_rows(path)
    needed = {"song code", "quadrant", "avg_valence", "avg_arousal"}
    for i, row in enumerate(rows):
        headings = [" ".join(str(cell).lower().split()) for cell in row]
        if needed <= set(headings):
            table = pd.DataFrame(rows[i + 1 :], columns=headings)
            break
    else:
        raise InputError(
            f"{path} must have a line with the headings {sorted(needed)}. There is none; put the "
            f"published file from {INFO.url} there."
        )
    table["song code"] = table["song code"].astype(str).str.strip()
    return table[table["song code"] != ""].reset_index(drop=True)


def _read_rows(path: Path) -> list[list]:
    """Cells of the first sheet of a workbook, in either of Excel's formats."""
    # Not by pandas, which deprecates its reader of the older format.
    import openpyxl
    import xlrd

    try:
        if path.suffix == ".xls":
            sheet = xlrd.open_workbook(path).sheet_by_index(0)
            return [sheet.row_values(i) for i in range(sheet.nrows)]
        workbook = openpyxl.load_workbook(path, data_only=True)
        rows = workbook.worksheets[0].iter_rows(values_only=True)
        return [["" if cell is None else cell for cell in row] for row in rows]
    except Exception as error:  # broken files raise errors of many kinds in both readers
        raise InputError(
            f"{path} must be an Excel workbook. Got: {error}; put the published file there."
        ) from error

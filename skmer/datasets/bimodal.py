"""The audio part of a dataset of songs and lyrics, annotated in valence and arousal.

:Clips: 162 of about 30 s, mp3
:Classes: Q1 52, Q2 45, Q3 31, Q4 34
:Groups: artists where the table of annotations names them, else none
:Licence: for research; the music belongs to its owners
:Source: http://mir.dei.uc.pt/downloads.html, "Bi-modal (audio and lyrics) emotion dataset
    (Russell's model)", to be put in place by hand; the clips in one folder, and a workbook

Listeners annotated valence and arousal from -4 to 4, from which the quadrants follow: Q1 high
arousal and high valence, Q2 high arousal and low valence, Q3 low arousal and low valence, Q4 low
arousal and high valence. The counts are those in Table 1 of Koh and Dubnov (2021). With 162 clips a
test set of a tenth has 16: one clip more or less is 6 points of accuracy.

.. code-block:: bibtex

    @inproceedings{malheiro2016bimodal,
      author = {Malheiro, Ricardo and Panda, Renato and Gomes, Paulo and Paiva, Rui Pedro},
      title = {Bi-modal music emotion recognition: Novel lyrical features and dataset},
      booktitle = {9th International Workshop on Music and Machine Learning},
      year = {2016},
    }
"""

from skmer.datasets import files, registry, tables
from skmer.datasets.validate import Finding, check_songs
from skmer.exceptions import InputError
from skmer.utils.messages import check_installed

INFO = registry.DatasetInfo(
    name="bimodal",
    title="Bi-modal emotion dataset",
    n_clips=162,
    class_counts={"Q1": 52, "Q2": 45, "Q3": 31, "Q4": 34},
    groups="artists, where named",
    licence="for research; the music belongs to its owners",
    url="http://mir.dei.uc.pt/downloads.html",
    scales={"": (-4, 4)},
    checked="annotations and names of the clips",
)
TABLES = ("MER-Audio-dataset.xlsx", "MER-Audio-dataset.xls")
SCALE = tables.AffectScale("annotated", -4.0, 4.0)
HEADINGS = ["song code", "quadrant", "avg_valence", "avg_arousal"]


def read_songs(folder):
    """Annotations of the songs, in the order of the workbook."""
    found = files.find_tables(folder, dict.fromkeys(TABLES, _read_sheet)).values()
    if not found:
        raise files.not_in_place(" or ".join(TABLES), folder, INFO)
    path = min(found, key=lambda path: (len(path.parts), path))
    sheet = _read_sheet(path).reset_index()
    frame = sheet[["song code"]].set_axis(["song"], axis=1)
    frame["label"] = tables.read_quadrants(sheet["quadrant"], path.name)
    if "artist" in sheet:
        frame["group"] = tables.artist_groups(sheet["artist"].astype(str), frame["song"])
    for axis in ("valence", "arousal"):
        frame[axis] = SCALE.check(sheet[f"avg_{axis}"], what=f"{axis} labels of {path.name}")
    return frame


def _read_sheet(path):
    """Rows of the workbook below the line of headings by the code of the song, in lower case."""
    import pandas as pd

    rows = _read_rows(path)
    for i, row in enumerate(rows):
        headings = [" ".join(str(cell).lower().split()) for cell in row]
        if set(HEADINGS) <= set(headings):
            table = pd.DataFrame(rows[i + 1 :], columns=headings)
            table["song code"] = table["song code"].astype(str).str.strip()
            return table[table["song code"] != ""].set_index("song code")
    raise InputError(
        f"{path} must have a line with the headings {HEADINGS}. There is none; put the published "
        f"file from {INFO.url} there."
    )


def _read_rows(path) -> list[list]:
    """Cells of the first sheet of a workbook, in either of Excel's formats."""
    # pandas deprecates its reader of the older format.
    check_installed("openpyxl", "xlrd", extra="excel", needed_for="Excel workbooks")
    import openpyxl
    import xlrd

    try:
        if path.suffix == ".xls":
            sheet = xlrd.open_workbook(path).sheet_by_index(0)
            return [sheet.row_values(i) for i in range(sheet.nrows)]
        workbook = openpyxl.load_workbook(path, data_only=True)
        rows = workbook.worksheets[0].values
        return [["" if cell is None else cell for cell in row] for row in rows]
    except Exception as error:  # broken files raise errors of many kinds in both readers
        raise InputError(
            f"{path} must be an Excel workbook. Got: {error}; put the published file there."
        ) from error


def validate(folder, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts, and check that the clips are there."""
    read = {"MER-Audio-dataset": (INFO.n_clips, lambda: read_songs(folder))}
    return check_songs(folder, INFO, read)


@registry.register_dataset(INFO, validate=validate)
def fetch_bimodal(
    *,
    data_home: registry.DataHome = None,
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
    folder = INFO.place(data_home)
    frame = files.match_audio(read_songs(folder), folder, INFO)
    return registry.make_bunch(frame, INFO, target_names=tables.QUADRANTS, scale=SCALE)

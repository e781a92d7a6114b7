"""Samples of songs from AllMusic, 225 in each quadrant of Russell's plane.

:Clips: 900 of about 30 s (two of 10 s), mp3, 16 to 44.1 kHz, mono and stereo
:Classes: Q1 225, Q2 225, Q3 225, Q4 225
:Groups: artists
:Licence: for research; the music belongs to its owners
:Source: http://mir.dei.uc.pt/downloads.html, "4Q audio emotion dataset (Russell's model)", to be
    put in place by hand; a folder for each quadrant, and two csv files

The mood words of each song in AllMusic agree on one quadrant of Russell's plane, and listeners
checked them. Q1 is high arousal and high valence, Q2 high arousal and low valence, Q3 low arousal
and low valence, Q4 low arousal and high valence. The counts are those in Table 1 of Koh and
Dubnov (2021). A song without an artist's name is a group of its own.

.. code-block:: bibtex

    @article{panda2020novel,
      author = {Panda, Renato and Malheiro, Ricardo and Paiva, Rui Pedro},
      title = {Novel audio features for music emotion recognition},
      journal = {IEEE Transactions on Affective Computing},
      volume = {11},
      number = {4},
      pages = {614--626},
      year = {2020},
      doi = {10.1109/TAFFC.2018.2820691},
    }
"""

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, check_songs

INFO = registry.DatasetInfo(
    name="4q",
    title="4Q audio emotion dataset",
    n_clips=900,
    class_counts=dict.fromkeys(tables.QUADRANTS, 225),
    groups="artists",
    licence="for research; the music belongs to its owners",
    url="http://mir.dei.uc.pt/downloads.html",
    checked="annotations, folders and names of the clips",
)
ANNOTATIONS = "panda_dataset_taffc_annotations.csv"
METADATA = "panda_dataset_taffc_metadata.csv"
COLUMNS = {ANNOTATIONS: ("Song", "Quadrant"), METADATA: ("Song", "Artist", "Title")}


def _read(path):
    """A table, by the codes of the songs."""
    frame = tables.read_csv_file(path, COLUMNS[path.name], separators=",", fallback="latin-1").frame
    return frame.set_index("Song", drop=False).rename_axis(None)


def read_songs(folder):
    """Annotations and artists of the songs, in the order of the annotations."""
    paths = fetch.find_or_fetch(dict.fromkeys(COLUMNS, _read), folder, INFO)
    annotations, metadata = (_read(paths[name]).reset_index(drop=True) for name in COLUMNS)
    metadata = metadata.drop_duplicates("Song").set_index("Song")[["Artist", "Title"]]
    frame = annotations[["Song"]].join(metadata, on="Song").fillna("")
    frame.columns = ["song", "artist", "title"]
    frame["label"] = tables.read_quadrants(annotations["Quadrant"], ANNOTATIONS)
    frame["group"] = tables.artist_groups(frame["artist"], frame["song"])
    return frame


def validate(folder, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts and with the folders of the clips."""
    return check_songs(folder, INFO, {ANNOTATIONS: (INFO.n_clips, lambda: read_songs(folder))})


@registry.register_dataset(INFO, validate=validate)
def fetch_4q(
    *,
    data_home: registry.DataHome = None,
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
    folder = INFO.place(data_home)
    frame = files.match_audio(read_songs(folder), folder, INFO)
    return registry.make_bunch(frame, INFO, target_names=tables.QUADRANTS)

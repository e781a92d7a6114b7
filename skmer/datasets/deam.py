"""The MediaEval database for emotional analysis in music: 1802 songs in arousal and valence.

:Clips: 1802 of two kinds: 1744 excerpts of 45 s and 58 full songs, mp3
:Classes: Q1, Q2, Q3, Q4; how many songs are in each is not published
:Targets: arousal and valence; static 1 to 9, dynamic -1 to 1 at 2 Hz from 15 s on
:Groups: artists
:Licence: not stated; the music is from archives of free music
:Source: https://cvml.unige.ch/databases/DEAM/, DEAM_Annotations.zip, metadata.zip and
    DEAM_audio.zip; no checksum of them is published

What was annotated for MediaEval in 2013, 2014 and 2015, the successor of Emotion in Music. Its 744
songs are in here under the same numbers: who trains on one and tests on the other tests on songs
that were trained on, and ``skmer.evaluation.audit`` finds it.

The quadrants are not part of the database. By default they are those of Emotion in Music, the signs
of the mean dynamic arousal and valence; ``quadrants="static"`` takes static labels above 5 for
high. Static and dynamic labels were given by different people to different questions; the static
tables of DEAM and of Emotion in Music have their columns in different orders and are read by the
names of the columns.

``split`` is the split in common use: the excerpts to train, the 58 full songs (numbers 2001 to
2058), which were the test set of 2015, to test. A full song lasts minutes, and its static label
is of the whole.

.. code-block:: bibtex

    @article{aljanaki2017developing,
      author = {Aljanaki, Anna and Yang, Yi-Hsuan and Soleymani, Mohammad},
      title = {Developing a benchmark for emotional analysis of music},
      journal = {PLoS ONE},
      volume = {12},
      number = {3},
      pages = {e0173392},
      year = {2017},
      doi = {10.1371/journal.pone.0173392},
    }
"""

import numpy as np

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, check_songs
from skmer.exceptions import InputError

INFO = registry.DatasetInfo(
    name="deam",
    title="DEAM",
    n_clips=1802,
    groups="artists",
    licence="not stated; the music is from archives of free music",
    url="https://cvml.unige.ch/databases/DEAM/",
    downloadable=True,
    contains=("emomusic",),
    scales={"static_": (1, 9), "dynamic_": (-1, 1)},
    checked="columns, songs and scales of the annotations, names of the clips",
)
STATIC = tables.PublishedTable(
    "song_id",
    {f"{axis}_mean": f"static_{axis}" for axis in tables.AXES},
    scale=tables.SCALES["static"],
    numbered=True,
)
OVER_TIME = tables.PublishedTable(
    "song_id", scale=tables.SCALES["dynamic"], numbered=True, n_times=0, options={"ragged": "short"}
)
STATIC_FILES = (
    "static_annotations_averaged_songs_1_2000.csv",
    "static_annotations_averaged_songs_2000_2058.csv",
)
DYNAMIC_FILES = ("arousal.csv", "valence.csv")
# What the song's code, artist, title and genre are called in each year's table.
METADATA_FILES = {
    "metadata_2013.csv": ("song_id", "Artist", "Song title", "Genre"),
    "metadata_2014.csv": ("Id", "Artist", "Track", "Genre"),
    "metadata_2015.csv": ("id", "artist", "title", "genre"),
}
ARCHIVES = {
    fetch.Archive(name, f"{INFO.url}{name}"): files
    for name, files in (
        ("DEAM_Annotations.zip", (*STATIC_FILES, *DYNAMIC_FILES)),
        ("metadata.zip", tuple(METADATA_FILES)),
    )
}
CLIPS_ARCHIVE = fetch.Archive("DEAM_audio.zip", f"{INFO.url}DEAM_audio.zip")
# Excerpts have smaller numbers; these are the full songs, the test set of 2015.
FIRST_FULL_SONG = 2001
# Where the mean over time, or the rating of the whole, is neither high nor low.
MIDDLES = {"dynamic": 0.0, "static": 5.0}


def read_annotations(paths: dict, quadrants: str):
    """Table of the songs, and the labels over time by axis (frames of song by seconds)."""
    import pandas as pd

    found = {name: read(paths[name]) for name, read in READERS.items()}
    static = pd.concat([found[name] for name in STATIC_FILES])
    if static.index.has_duplicates:
        raise InputError(f"{' and '.join(STATIC_FILES)} of DEAM must share no song; {tables.ANEW}.")
    over_time = {name: found[name] for name in DYNAMIC_FILES}
    tables.require_same_songs({" and ".join(STATIC_FILES): static, **over_time})
    dynamic = {
        axis: table.loc[static.index] for axis, table in zip(tables.AXES, over_time.values())
    }
    metadata = pd.concat([found[name] for name in METADATA_FILES])
    # A song that is in the tables of two years is the same song.
    frame = metadata[~metadata.index.duplicated()].reindex(static.index, fill_value="")
    frame["split"] = np.where(frame.index >= FIRST_FULL_SONG, "test", "train")
    labelled = tables.label_songs(frame.join(static), dynamic, quadrants, MIDDLES[quadrants])
    return labelled, dynamic


def _read_metadata(path):
    """Artist, title and genre by song.

    Rows are ragged: lists at their end, of genres or tags, are not quoted. Values have tabs,
    no-break spaces, and quotation marks that do not pair.
    """
    columns = METADATA_FILES[path.name]
    frame = tables.read_csv_file(
        path, columns, separators=",", ragged="any", one_line_a_row=True, fallback="windows-1252"
    ).frame
    frame = frame[list(columns)].set_axis(["song_id", "artist", "title", "genre"], axis=1)
    # str.split takes tabs and no-break spaces for blanks, too.
    frame = frame.map(lambda cell: " ".join(cell.replace('"', " ").split()))
    return tables.index_songs(frame[frame["song_id"] != ""], "song_id", path.name, numbered=True)


READERS = {
    **dict.fromkeys(STATIC_FILES, STATIC.read),
    **dict.fromkeys(DYNAMIC_FILES, OVER_TIME.read),
    **dict.fromkeys(METADATA_FILES, _read_metadata),
}


def validate(folder, verbose: bool) -> list[Finding]:
    """Check that the annotations are whole and on their scales, and that the clips are there."""

    paths = files.find_tables(folder, READERS)
    read = {"*.csv": (INFO.n_clips, lambda: read_annotations(paths, "dynamic")[0])}
    return check_songs(folder, INFO, read, required=READERS, exact=True)


@registry.register_dataset(INFO, validate=validate)
def fetch_deam(
    *,
    target: tables.Target = "quadrant",
    quadrants: tables.Rule = "dynamic",
    annotations_only: bool = False,
    data_home: registry.DataHome = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load DEAM, from its folder or from its publisher.

    =========   ==================================================================
    Clips       1802: 1744 excerpts of 45 s, 58 full songs
    Targets     quadrants; or arousal and valence, static 1 to 9, dynamic -1 to 1
    Groups      artists
    Licence     not stated; the music is from archives of free music
    =========   ==================================================================

    Parameters
    ----------
    target : {"quadrant", "static", "dynamic"}, default="quadrant"
        "quadrant": by the rule ``quadrants``. "static": arousal and valence of the whole song, 1 to
        9. "dynamic": the mean over time of the continuous arousal and valence, -1 to 1.

    quadrants : {"dynamic", "static"}, default="dynamic"
        Where high begins. "dynamic": a mean over time above 0, as in Emotion in Music.
        "static": a rating of the whole song above 5.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of the static annotations.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        split : ndarray of str, shape (n_clips,)
            "train" (excerpts) or "test" (full songs), for
            :class:`~skmer.evaluation.FixedSplit`.
        dynamic : dict of DataFrame, shape (n_clips, n_times)
            "arousal" and "valence" over time, -1 to 1: a row a song (indexed by song_id, in the
            order of ``data``), a column a time in seconds, NaN after the end of a song.
        frame : DataFrame, shape (n_clips, 12)
            path, label (the quadrant), group; song_id, artist, title, genre, split;
            static_arousal, static_valence, dynamic_arousal, dynamic_valence.
        DESCR : str
            Description, counts, licence and citation, and how many test songs are by artists of
            the training set.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If files are not in place, and may not or cannot be downloaded.
    ValueError
        If an annotation file or an archive is not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If songs are missing in the tables, or clips are; songs without a clip are left out.

    References
    ----------
    .. [1] Aljanaki, A., Yang, Y.-H., and Soleymani, M., "Developing a benchmark for emotional
       analysis of music", PLoS ONE 12(3), e0173392, 2017.

    Examples
    --------
    >>> from skmer.datasets import fetch_deam
    >>> dataset = fetch_deam(target="static", annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape, str(dataset.scale)  # doctest: +SKIP
    ((1802, 2), 'static, 1 to 9')
    """
    folder = INFO.place(data_home)
    paths: dict = {}
    for archive, names in ARCHIVES.items():
        readers = {name: READERS[name] for name in names}
        paths |= fetch.find_or_fetch(readers, folder, INFO, archive, download_if_missing)
    frame, dynamic = read_annotations(paths, quadrants)
    extra = tables.describe_split(frame["group"], frame["split"])
    if not annotations_only:
        fetch.fetch_clips(folder, INFO, CLIPS_ARCHIVE, "<song_id>.mp3", download_if_missing)
    would_be = "MEMD_audio/{}.mp3".format if annotations_only else None
    frame = files.match_audio(frame, folder, INFO, exact=True, would_be=would_be)
    affect = tables.affect_target(frame, target, tables.SCALES, f"{target}_", **dynamic)
    return registry.make_bunch(frame, INFO, extra=extra, split=frame["split"], **affect)

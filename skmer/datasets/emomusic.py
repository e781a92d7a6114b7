"""Excerpts of songs of the Free Music Archive, rated by crowd workers in arousal and valence.

:Clips: 744 of 45 s, mp3, 44.1 kHz
:Classes: Q1 305, Q2 87, Q3 241, Q4 111
:Targets: arousal and valence; static 1 to 9, dynamic -1 to 1 at 61 times from 15 s to 45 s
:Groups: 411 artists
:Licence: audio under the Creative Commons licence of each song in the Free Music Archive;
    annotations for research
:Source: http://cvml.unige.ch/databases/emoMusic/, annotations.tar.gz and clips_45sec.tar.gz

The database is also called 1000 songs; redundant songs were removed from them. Workers rated the
whole excerpt once (static), and continuously (dynamic; the first 15 s are left out, the rest is
averaged over workers at 2 Hz). The two are on different scales; ``scale`` states the one of
``target``.

The quadrants are the signs of the mean dynamic arousal and valence. This gives exactly the counts
in Table 1 of Koh and Dubnov (2021): Q1 305, Q2 87, Q3 241, Q4 111. No threshold on the static
labels does.

``split`` is the split in common use: the 125 songs of the evaluation set of MediaEval 2013 to
test, 504 songs to train and 115 to validate, which are divided by artist. Of the test songs, 65 are
by an artist who is also in the training or validation set, so scores on it are partly scores on
known artists. A few artists' names carry the title of an album as distributed
("Kevin MacLeod-Night on the docks") and count as artists of their own.

.. code-block:: bibtex

    @inproceedings{soleymani2013songs,
      author = {Soleymani, Mohammad and Caro, Micheal N. and Schmidt, Erik M. and Sha, Cheng-Ya and
                Yang, Yi-Hsuan},
      title = {1000 songs for emotional analysis of music},
      booktitle = {Proceedings of the 2nd ACM International Workshop on Crowdsourcing for
                   Multimedia},
      pages = {1--6},
      year = {2013},
      doi = {10.1145/2506364.2506365},
    }
"""

import hashlib

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, check_songs

INFO = registry.DatasetInfo(
    name="emomusic",
    title="Emotion in Music",
    n_clips=744,
    class_counts={"Q1": 305, "Q2": 87, "Q3": 241, "Q4": 111},
    groups="411 artists",
    licence="audio: Creative Commons, by song (Free Music Archive); annotations: for research",
    url="http://cvml.unige.ch/databases/emoMusic/",
    downloadable=True,
    scales={"static_": (1, 9), "dynamic_": (-1, 1)},
    checked="columns, songs and quadrants of the annotations, names of the clips",
)
ANNOTATIONS_ARCHIVE = fetch.Archive(
    filename="annotations.tar.gz",
    url="https://cvml.unige.ch/databases/emoMusic/annotations.tar.gz",
    sha256="e0cb0b06e1b0ce7f04b1572fc410937699b7fad9dae67ddaa745f06cda4b0b33",
)
CLIPS_ARCHIVE = fetch.Archive(
    filename="clips_45sec.tar.gz",
    url="https://cvml.unige.ch/databases/emoMusic/clips_45sec.tar.gz",
    sha256="3994a5d5fefc27f9540d1a69cd7f1294c68e6cb311ce49765021e2e9c7a1057b",
)
CLIPS_FOLDER = "clips_45seconds"
# One sample every half second from 15 s to 45 s.
_OVER_TIME = tables.PublishedTable("song_id", {}, tables.SCALES["dynamic"], True, n_times=61)
READERS = {
    "songs_info.csv": tables.PublishedTable(
        "song_id",
        {
            "Artist": "artist",
            "Song title": "title",
            "Genre": "genre",
            "Mediaeval 2013 set": "split",
        },
        numbered=True,
    ).read,
    "static_annotations.csv": tables.PublishedTable(
        "song_id",
        {f"mean_{axis}": f"static_{axis}" for axis in tables.AXES},
        scale=tables.SCALES["static"],
        numbered=True,
    ).read,
    "arousal_cont_average.csv": _OVER_TIME.read,
    "valence_cont_average.csv": _OVER_TIME.read,
}


def read_annotations(folder):
    """Table of the songs, and the labels over time by axis (frames of song by seconds)."""
    paths = fetch.find_or_fetch(READERS, folder, INFO, ANNOTATIONS_ARCHIVE)
    found = {name: read(paths[name]) for name, read in READERS.items()}
    tables.require_same_songs(found)
    frame, static, *over_time = (
        table.loc[found["songs_info.csv"].index] for table in found.values()
    )
    dynamic = dict(zip(tables.AXES, over_time))
    frame["split"] = [
        "test" if part == "evaluation" else "valid" if _artist_bucket(artist) >= 8 else "train"
        for part, artist in zip(frame["split"], frame["artist"])
    ]
    # No threshold on the static labels gives the counts in Table 1 of Koh and Dubnov (2021).
    return tables.label_songs(frame.join(static), dynamic, "dynamic", middle=0), dynamic


def _artist_bucket(artist: str) -> int:
    """Number from 0 to 9 of an artist, from the ASCII letters of the name."""
    letters = "".join(c for c in artist.lower() if c.isascii() and (c.isalpha() or c.isspace()))
    name = " ".join(letters.split()).encode("ascii")
    return int(hashlib.sha1(name, usedforsecurity=False).hexdigest(), 16) % 10


def validate(folder, verbose: bool) -> list[Finding]:
    """Compare the annotations with the published counts, and check that the clips are there."""
    read = {"*.csv": (INFO.n_clips, lambda: read_annotations(folder)[0])}
    return check_songs(folder, INFO, read, required=READERS, exact=True)


@registry.register_dataset(INFO, validate=validate)
def fetch_emomusic(
    *,
    target: tables.Target = "quadrant",
    annotations_only: bool = False,
    data_home: registry.DataHome = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load Emotion in Music, from its folder or from its publisher.

    =========   ==============================================================
    Clips       744, of 45 s
    Classes     Q1 305, Q2 87, Q3 241, Q4 111; or arousal and valence
    Groups      411 artists
    Licence     audio: Creative Commons; annotations: for research
    =========   ==============================================================

    Parameters
    ----------
    target : {"quadrant", "static", "dynamic"}, default="quadrant"
        "quadrant": the signs of the mean dynamic arousal and valence. "static": arousal
        and valence of the whole excerpt, 1 to 9. "dynamic": the mean over time of the
        continuous arousal and valence, -1 to 1.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of songs_info.csv.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        split : ndarray of str, shape (n_clips,)
            "train" (504 songs), "valid" (115) or "test" (125): the split in common use.
            65 of the 125 test songs are by an artist of the others.
        dynamic : dict of DataFrame, shape (n_clips, 61)
            "arousal" and "valence" over time, -1 to 1: a row a song (indexed by
            song_id, in the order of ``data``), a column a time in seconds.
        frame : DataFrame, shape (n_clips, 12)
            path, label (the quadrant), group; song_id, artist, title, genre, split;
            static_arousal, static_valence, dynamic_arousal, dynamic_valence.
        DESCR : str
            Description, counts, licence and citation.

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
        If clips are missing; their songs are left out.

    References
    ----------
    .. [1] Soleymani, M., et al., "1000 songs for emotional analysis of music",
       CrowdMM 2013.

    Examples
    --------
    >>> from skmer.datasets import fetch_emomusic
    >>> dataset = fetch_emomusic(target="static", annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape, str(dataset.scale)  # doctest: +SKIP
    ((744, 2), 'static, 1 to 9')
    """
    folder = INFO.place(data_home)
    # Tables that cannot be read would stay, and stand in the way of the next try.
    fetch.find_or_fetch(
        READERS, folder, INFO, ANNOTATIONS_ARCHIVE, download_if_missing, check=read_annotations
    )
    frame, dynamic = read_annotations(folder)
    if not annotations_only:
        fetch.fetch_clips(folder, INFO, CLIPS_ARCHIVE, f"{CLIPS_FOLDER}/*.mp3", download_if_missing)
    would_be = (f"{CLIPS_FOLDER}/{{}}.mp3").format if annotations_only else None
    frame = files.match_audio(frame, folder, INFO, exact=True, would_be=would_be)
    affect = tables.affect_target(frame, target, tables.SCALES, f"{target}_", **dynamic)
    return registry.make_bunch(frame, INFO, split=frame["split"], **affect)

"""Choruses of pop songs, rated in arousal and valence, as a whole and over time.

:Clips: 767 of 16 to 88 s, median 36 s, mp3; 27 further choruses of the 794 have no labels
:Classes: Q1 520, Q2 72, Q3 115, Q4 60
:Targets: arousal and valence from 0 to 1; static, and dynamic at 2 Hz
:Groups: 395 artists
:Licence: not stated
:Source: https://github.com/HuiZhang0812/PMEmo, by hand; the tables of metadata and dynamic labels
    here are those of github AMAAI-Lab/Music2Emotion at c5f7984

The dynamic labels are the mean over listeners. The first 15 s of each chorus were removed, and a
row is named by the end of its half second, so that the first one, 15.5, is of 15.0 to 15.5 s; a
chorus of under 16 s has 2 rows, the longest 146. In three songs the last row lies behind the
stated duration.

The quadrants are not part of the dataset. By default they are the means of the dynamic labels
above .5; ``quadrants="static"`` takes static labels above .5. Three quarters of the songs are high
in arousal, so that the quadrants are far from balanced, and arousal and valence are correlated
(.72 over songs): a model of arousal alone predicts valence.

Ten pairs of songs have the same title and artist, and two more but for a blank or an apostrophe;
``skmer.evaluation.audit`` finds them by ``items``. Copies that circulate have the static labels
from 1 to 9 and valence first; they are an error here.

.. code-block:: bibtex

    @inproceedings{zhang2018pmemo,
      author = {Zhang, Kejun and Zhang, Hui and Li, Simeng and Yang, Changyuan and Sun, Lingyun},
      title = {The {PMEmo} dataset for music emotion recognition},
      booktitle = {Proceedings of the 2018 ACM International Conference on Multimedia Retrieval},
      pages = {135--142},
      year = {2018},
      doi = {10.1145/3206025.3206037},
    }
"""

from functools import partial

from skmer.datasets import files, registry, tables
from skmer.datasets.curves import read_curves
from skmer.datasets.validate import Finding, check_songs
from skmer.utils.messages import shorten

INFO = registry.DatasetInfo(
    name="pmemo",
    title="PMEmo",
    n_clips=767,
    # By the dynamic labels.
    class_counts={"Q1": 520, "Q2": 72, "Q3": 115, "Q4": 60},
    groups="395 artists",
    url="https://github.com/HuiZhang0812/PMEmo",
    scales={"static_": (0, 1), "dynamic_": (0, 1)},
    checked="columns, songs, scales and quadrants of the annotations, names of the clips",
)
SCALES = {kind: tables.AffectScale(kind, 0.0, 1.0) for kind in ("static", "dynamic")}
METADATA = tables.PublishedTable(
    "musicId",
    {"title": "title", "artist": "artist", "album": "album", "duration": "duration"},
    numbered=True,
)
MEANS = {f"{axis.capitalize()}(mean)": axis for axis in tables.AXES}
SPREADS = {f"{axis.capitalize()}(std)": f"{axis}_std" for axis in tables.AXES}
REQUIRED = ("metadata.csv", "dynamic_annotations.csv")
MIDDLE = 0.5


def read_annotations(paths: dict, quadrants: str):
    """Table of the labelled songs, and the tables over time by axis (frames of song by seconds).

    Static labels, and standard deviations, are read where their tables are.
    """
    read = {name: READERS[name](path) for name, path in paths.items()}
    metadata = read["metadata.csv"]
    over_time = [table for name, table in read.items() if name.startswith("dynamic")]
    dynamic = {label: table[label] for table in over_time for label in table.columns.levels[0]}
    static = {name: table for name, table in read.items() if name.startswith("static")}
    # The other choruses have no labels.
    frame = metadata.loc[metadata.index.isin(dynamic["arousal"].index)].copy()
    labelled = {"dynamic_annotations.csv": dynamic["arousal"], "metadata.csv": frame}
    tables.require_same_songs(labelled | static)
    frame["duration"] = tables.numbers(frame["duration"], "metadata.csv")
    for table in static.values():
        frame = frame.join(table.add_prefix("static_"))
    return tables.label_songs(frame, dynamic, quadrants, MIDDLE), dynamic


def _read_dynamic(path, columns: dict[str, str]):
    """Labels over time: a row a song, and under each name of a column the times in seconds."""
    import pandas as pd

    file = tables.read_csv_file(path, ["musicId", "frameTime", *columns], separators=",")
    for column, name in columns.items():
        what = f"{name} labels in {path.name}"
        SCALES["dynamic"].check(tables.numbers(file.frame[column], path.name), what=what)
    labels = {name: column for column, name in columns.items()}
    curves = pd.concat(read_curves(file, "musicId", labels, "frameTime"), axis=1)
    songs = tables.numbers(curves.index.to_series(), path.name).astype(int)
    return curves.set_axis(songs).rename_axis("song_id").sort_index()


_static = partial(tables.PublishedTable, "musicId", scale=SCALES["static"], numbered=True)
READERS: dict = {
    "metadata.csv": METADATA.read,
    "dynamic_annotations.csv": partial(_read_dynamic, columns=MEANS),
    "static_annotations.csv": _static(columns=MEANS).read,
    "static_annotations_std.csv": _static(columns=SPREADS).read,
    "dynamic_annotations_std.csv": partial(_read_dynamic, columns=SPREADS),
}


def validate(folder, verbose: bool) -> list[Finding]:
    """Check that the annotations are whole and on their scales, and that the clips are there."""
    paths = files.find_tables(folder, READERS)
    needed = [name for name in READERS if name != "dynamic_annotations_std.csv"]
    absent = [Finding(name, "missing") for name in needed if name not in paths]
    if any(name not in paths for name in REQUIRED):
        return absent
    read = {"*.csv": (INFO.n_clips, lambda: read_annotations(paths, "dynamic")[0])}
    return absent + check_songs(folder, INFO, read, exact=True)


@registry.register_dataset(INFO, validate=validate)
def fetch_pmemo(
    *,
    target: tables.Target = "quadrant",
    quadrants: tables.Rule = "dynamic",
    annotations_only: bool = False,
    data_home: registry.DataHome = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load PMEmo from its folder.

    =========   ==================================================================
    Clips       767 choruses with labels, of 16 to 88 s
    Targets     quadrants; or arousal and valence, static or dynamic, 0 to 1
    Groups      395 artists
    Licence     not stated
    =========   ==================================================================

    Parameters
    ----------
    target : {"quadrant", "static", "dynamic"}, default="quadrant"
        "quadrant": as ``quadrants`` determines. "static": arousal and valence of the whole chorus.
        "dynamic": the mean over time of the continuous arousal and valence.

    quadrants : {"dynamic", "static"}, default="dynamic"
        Of which labels the quadrants are; high is above .5.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of metadata.csv.
        target : ndarray, shape (n_clips,) of str, or (n_clips, 2) of float
            The quadrants, or arousal and valence on ``scale``.
        target_names : list of str
            The four quadrants, or "arousal" and "valence".
        groups : ndarray of str, shape (n_clips,)
            The artists, without differences in case and white space.
        scale : AffectScale or None
            The unit of ``target``; None for quadrants.
        dynamic : dict of DataFrame, shape (n_clips, n_times)
            "arousal" and "valence" over time, and "arousal_std" and "valence_std" where their
            table is in place: a row a song (indexed by song_id, in the order of ``data``), a column
            the end of a half second, NaN after the end of a song.
        frame : DataFrame, shape (n_clips, n_columns)
            path, label (the quadrant), group; song_id, title, artist, album, duration;
            static_arousal, static_valence, static_arousal_std and static_valence_std where their
            tables are in place; dynamic_arousal, dynamic_valence.
        DESCR : str
            Description, counts, licence and citation.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If a table that is needed, or every clip, is not in place.
    ValueError
        If an annotation file is not what was published.

    Warns
    -----
    IncompleteDatasetWarning
        If clips are missing; their songs are left out.

    References
    ----------
    .. [1] Zhang, K., et al., "The PMEmo dataset for music emotion recognition", ICMR 2018.

    Examples
    --------
    >>> from skmer.datasets import fetch_pmemo
    >>> dataset = fetch_pmemo(target="dynamic", annotations_only=True)  # doctest: +SKIP
    >>> dataset.target.shape, str(dataset.scale)  # doctest: +SKIP
    ((767, 2), 'dynamic, 0 to 1')
    """
    folder = INFO.place(data_home)
    paths = files.find_tables(folder, READERS)
    static = ["static_annotations.csv"] if "static" in (target, quadrants) else []
    if missing := [name for name in (*REQUIRED, *static) if name not in paths]:
        raise files.not_in_place(shorten(missing), folder, INFO)
    frame, dynamic = read_annotations(paths, quadrants)
    would_be = "chorus/{}.mp3".format if annotations_only else None
    frame = files.match_audio(frame, folder, INFO, exact=True, would_be=would_be)
    affect = tables.affect_target(frame, target, SCALES, f"{target}_", **dynamic)
    return registry.make_bunch(frame, INFO, **affect)

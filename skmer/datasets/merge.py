"""Songs and lyrics in four quadrants, from AllMusic's mood words; here the audio.

:Clips: 3554 of 30 s, mp3 (audio, complete); audio balanced 3232; bimodal complete 2216, bimodal
    balanced 2000
:Classes: Q1, Q2, Q3, Q4; as many of each in the balanced versions
:Targets: arousal and valence from 0 to 1, computed from mood words
:Groups: artists
:Licence: not stated; the music belongs to its owners
:Source: https://doi.org/10.5281/zenodo.13939205, version 1.1.0; the record states the MD5 of every
    archive

Samples of songs whose mood words in AllMusic agree on one quadrant of Russell's plane. It follows
4Q and Bi-modal, and contains them: the songs of 4Q and most of Bi-modal recur under the same codes.
Who trains on one and tests on the other tests on songs that were trained on, and
``skmer.evaluation.audit`` finds it.

Arousal and valence were not rated by listeners of these clips: they are computed from the mood
words of a song, so that many songs have exactly the same pair of values. A regression on them
learns tags.

``split`` is one of the two published splits, 70 % to train, 15 % to validate, 15 % to test, or 40,
30 and 30 %. Artists recur, on both sides of the splits too; how many in the version at
hand, stands below. For comparison, the authors state an F1 of 81.74 % for audio and lyrics together
(third version of the paper).

.. code-block:: bibtex

    @article{louro2024merge,
      author = {Louro, Pedro Lima and Redinho, Hugo and Santos, Ricardo and Malheiro, Ricardo and
                Panda, Renato and Paiva, Rui Pedro},
      title = {{MERGE} -- A bimodal dataset for static music emotion recognition},
      journal = {arXiv:2407.06060},
      year = {2024},
    }
"""

from dataclasses import replace
from typing import Literal

from skmer.datasets import fetch, files, registry, tables
from skmer.datasets.validate import Finding, check_songs
from skmer.exceptions import DatasetNotFoundError, InputError
from skmer.utils.messages import counted, shorten

# Songs of each version.
VERSIONS = {
    "audio_complete": 3554,
    "audio_balanced": 3232,
    "bimodal_complete": 2216,
    "bimodal_balanced": 2000,
}
INFO = registry.DatasetInfo(
    name="merge",
    title="MERGE",
    n_clips=VERSIONS["audio_complete"],
    groups="artists",
    licence="not stated; the music belongs to its owners",
    url="https://doi.org/10.5281/zenodo.13939205",
    downloadable=True,
    contains=("4q", "bimodal"),
    scales={"": (0, 1)},
    layout="``merge/``, the archive of the version unpacked, at any depth",
    checked="songs, quadrants and splits of the annotations, folders and names of the clips",
)
SPLITS = ("70_15_15", "40_30_30")
PARTS = {"train": "train", "validate": "validation", "test": "test"}
SCALE = tables.AffectScale("from mood words", 0.0, 1.0)
# Lists in quotation marks may go over lines.
_OPTIONS = {"fallback": "windows-1252"}
METADATA = tables.PublishedTable(
    "Song", {"Artist": "artist", "Title": "title", "Quadrant": "label"}, options=_OPTIONS
)
VALUES = tables.PublishedTable(
    "Song", {axis.capitalize(): axis for axis in tables.AXES}, scale=SCALE
)
PART = tables.PublishedTable("Song", {"Quadrant": "label"}, options=_OPTIONS)
KINDS = {"metadata": METADATA, "values": VALUES, **dict.fromkeys(PARTS.values(), PART)}


def table_names(version: str, splits: str) -> dict[str, str]:
    """Files of a version, by what they hold."""
    parts = {part: f"tvt_{splits}_{name}_{version}.csv" for name, part in PARTS.items()}
    return {
        "metadata": f"merge_{version}_metadata.csv",
        "values": f"merge_{version}_av_values.csv",
        **parts,
    }


def read_annotations(paths: dict):
    """Table of the songs in the order of the metadata, from the files by what they hold."""
    import pandas as pd

    frame, values, *split = (KINDS[kind].read(paths[kind]) for kind in KINDS)
    metadata, _, *names = (paths[kind].name for kind in KINDS)
    split_files = " and ".join(names)
    frame["artist"] = frame["artist"].map(lambda text: " ".join(text.split()))
    frame["label"] = tables.read_quadrants(frame["label"], metadata)
    parts = pd.concat([one.assign(split=part) for one, part in zip(split, PARTS.values())])
    twice = parts.index[parts.index.duplicated()]
    if len(twice):
        raise InputError(
            f"A song must be in one part of the split. {shorten(twice)} of {split_files} are "
            f"in several; {tables.ANEW}."
        )
    tables.require_same_songs({metadata: frame, paths["values"].name: values, "the split": parts})
    parts = parts.loc[frame.index]
    wrong = frame.index[frame["label"] != tables.read_quadrants(parts["label"], split_files)]
    if len(wrong):
        raise InputError(
            f"{split_files} must give a song the same quadrant as {metadata}. They do not "
            f"for {counted(len(wrong), 'song')}, {shorten(wrong)}; {tables.ANEW}."
        )
    frame["group"] = tables.artist_groups(frame["artist"], frame.index)
    frame["split"] = parts["split"]
    return frame.join(values).reset_index()


def validate(folder, verbose: bool) -> list[Finding]:
    """Check the tables and clips of every version that is in place."""
    names = {(one, splits): table_names(one, splits) for one in VERSIONS for splits in SPLITS}
    kinds = {name: kind for named in names.values() for kind, name in named.items()}
    paths = files.find_tables(folder, {name: KINDS[kind].read for name, kind in kinds.items()})
    readers: dict[str, tuple] = {}
    missing: dict[str, None] = {}
    for (version, splits), named in names.items():
        found = {kind: paths[name] for kind, name in named.items() if name in paths}
        if len(found) == len(named):
            read = VERSIONS[version], lambda found=found: read_annotations(found)
            readers[f"merge_{version}_metadata.csv, {splits}"] = read
        elif any(version in name for name in paths):
            missing |= dict.fromkeys(name for name in named.values() if name not in paths)
    if not paths:
        missing = {names["audio_complete", SPLITS[0]]["metadata"]: None}
    absent = [Finding(name, "missing") for name in missing]
    return absent + check_songs(folder, INFO, readers, exact=True)


@registry.register_dataset(INFO, validate=validate)
def fetch_merge(
    version: Literal[
        "audio_complete", "audio_balanced", "bimodal_complete", "bimodal_balanced"
    ] = "audio_complete",
    *,
    splits: Literal["70_15_15", "40_30_30"] = "70_15_15",
    target: Literal["quadrant", "arousal_valence"] = "quadrant",
    data_home: registry.DataHome = None,
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
        words, and a warning states it.

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
    folder = INFO.place(data_home)
    names = table_names(version, splits)
    filename = f"MERGE_{version.title()}.zip"
    if download_if_missing and not files.find_tables(folder, {names["metadata"]: METADATA.read}):
        fetch.download_and_unpack(find_in_record(filename), folder)
    readers = {name: KINDS[kind].read for kind, name in names.items()}
    paths = fetch.find_or_fetch(readers, folder, INFO, fetch.Archive(filename, ""))
    frame = read_annotations({kind: paths[name] for kind, name in names.items()})
    n_shared = int(frame.duplicated(list(tables.AXES), keep=False).sum())
    shared = f"{n_shared} of the {len(frame)} songs share their pair of arousal and valence"
    if target == "arousal_valence":
        registry.warn_caller(
            "Arousal and valence of MERGE were computed from the mood words of each song: "
            f"{shared} with another song, and a model that learns them learns tags."
        )
    extra = tables.describe_split(frame["group"], frame["split"])
    extra += f"\n{shared} with another song.\n"
    info = replace(INFO, n_clips=VERSIONS[version])
    frame = files.match_audio(frame, folder, info, exact=True)
    affect = tables.affect_target(frame, target, {"arousal_valence": SCALE}, "")
    return registry.make_bunch(frame, INFO, extra=extra, split=frame["split"], **affect)


def find_in_record(filename: str) -> fetch.Archive:
    """The archive of that name in the record, as its repository lists it."""
    import pooch

    try:
        doi = INFO.url.removeprefix("https://doi.org/")
        repository = pooch.downloaders.doi_to_repository(doi, timeout=20)
        listed = pooch.create(path="", base_url="", registry={})
        repository.populate_registry(listed)
        url = repository.download_url(filename)
    except OSError as error:
        raise DatasetNotFoundError(
            f"The record {INFO.url}, which lists {filename}, cannot be read: "
            f"{type(error).__name__}. Try again later, or fetch the file by hand."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The record {INFO.url} must list {filename}. It does not; fetch the file by hand."
        ) from error
    kind, checksum = listed.registry[filename].split(":")
    return fetch.Archive(filename, url, **{kind: checksum})

"""One sentence sung by 23 singers with six emotions.

:Clips: 1012 of 3.5 to 6.4 s, 48 kHz, 16 bit, mono (one is stereo)
:Classes: neutral 92, calm 184, happy 184, sad 184, angry 184, fearful 184
:Groups: 23 singers (1 to 24 without 18), 44 clips each; odd numbers are male
:Licence: CC BY-NC-SA 4.0
:Source: https://doi.org/10.5281/zenodo.1188976, Audio_Song_Actors_01-24.zip

Professional actors sing two sentences, "Kids are talking by the door" and "Dogs are sitting by
the door", with six emotions, in two intensities (neutral only in one) and two repetitions. The
recordings are of the same two melodies and sentences throughout, so the singers are what
differs most between clips: evaluate with held-out singers.

``subset="koh2021"`` is the selection in Table 1 of Koh and Dubnov (2021): neutral 92, calm 184,
happy 184, sad 184, angry 184, fearful 20, 848 clips in all. The study does not state which 20
fearful clips were kept; here ``subset_seed`` draws them.

Of the 24 actors all but the 18th also sing. A file name such as ``03-02-05-01-02-01-12.wav`` holds,
after ``03-02`` (audio only, song), the emotion, its intensity, the statement, the repetition and
the actor.

.. code-block:: bibtex

    @article{livingstone2018ravdess,
      author = {Livingstone, Steven R. and Russo, Frank A.},
      title = {The {R}yerson {A}udio-{V}isual {D}atabase of {E}motional {S}peech and {S}ong
               ({RAVDESS}): A dynamic, multimodal set of facial and vocal expressions in
               {N}orth {A}merican {E}nglish},
      journal = {PLoS ONE},
      volume = {13},
      number = {5},
      pages = {e0196391},
      year = {2018},
      doi = {10.1371/journal.pone.0196391},
    }
"""

import gzip
import re
from importlib import resources
from numbers import Integral
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from skmer.datasets import fetch, files, registry
from skmer.datasets.validate import Finding, check_file, find_extra
from skmer.exceptions import IncompleteDatasetWarning
from skmer.utils import estimators, messages, progress

INFO = registry.DatasetInfo(
    name="ravdess-song",
    title="RAVDESS, song",
    n_clips=1012,
    class_counts={"neutral": 92} | dict.fromkeys(("calm", "happy", "sad", "angry", "fearful"), 184),
    groups="23 singers",
    licence="CC BY-NC-SA 4.0",
    url="https://doi.org/10.5281/zenodo.1188976",
    downloadable=True,
    folder="ravdess_song",
    layout="``ravdess_song/Actor_XX/*.wav`` or ``*.flac``, whichever singers there are",
    checked="names and SHA-256 of the 1012 published wav files",
)

# Zenodo gives no SHA-256 of the archive; the clips in it are checked one by one instead.
ARCHIVE = fetch.Archive(
    filename="Audio_Song_Actors_01-24.zip",
    url="https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip",
)
N_FEARFUL_IN_KOH2021 = 20

_EMOTIONS = dict(zip(("01", "02", "03", "04", "05", "06"), INFO.class_counts))
_NAME = re.compile(r"03-02-(0[1-6])-(0[12])-(0[12])-(0[12])-([0-9]{2})")


def checksums() -> dict[str, str]:
    """SHA-256 of the published wav files, by clip name, in the order of singer and name."""
    path = resources.files("skmer.datasets") / "checksums" / "ravdess_song.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
    return {Path(name).stem: sha for sha, name in sorted(map(str.split, lines), key=lambda x: x[1])}


def find_clips(folder: Path) -> dict[str, Path]:
    """Published clips in a folder by name; the wav where a clip is there twice."""
    published = checksums()
    found = [
        path
        for suffix in ("flac", "wav")
        for path in folder.glob(f"Actor_[0-9][0-9]/*.{suffix}")
        if path.stem in published and path.parent.name == f"Actor_{path.stem[-2:]}"
    ]
    return {path.stem: path for path in found}


def _koh2021_names(names: list[str], seed: int) -> list[str]:
    """All clips that are not fearful, and 20 that are."""
    fearful = [name for name in names if name[6:8] == "06"]
    # Only ``random`` of a PCG64 stream is drawn from: the same in every version of numpy.
    order = np.argsort(np.random.Generator(np.random.PCG64(seed)).random(len(fearful)))
    left_out = {fearful[i] for i in order[N_FEARFUL_IN_KOH2021:]}
    return [name for name in names if name not in left_out]


def _make_frame(names: list[str], clips: dict[str, Path]):
    """Table of the clips, every part of the name in words."""
    import pandas as pd

    parts = np.array([_NAME.fullmatch(name).groups() for name in names])  # type: ignore[union-attr]
    emotion = [_EMOTIONS[code] for code in parts[:, 0]]
    actor = parts[:, 4].astype(int)
    return pd.DataFrame(
        {
            "path": [str(clips[name]) for name in names],
            "label": emotion,
            "group": actor,
            "emotion": emotion,
            "intensity": np.where(parts[:, 1] == "01", "normal", "strong"),
            "statement": np.where(parts[:, 2] == "01", "kids", "dogs"),
            "repetition": parts[:, 3].astype(int),
            "actor": actor,
            "sex": np.where(actor % 2 == 1, "male", "female"),
        }
    )


def validate(folder: Path, verbose: bool) -> list[Finding]:
    """Compare every wav with its published SHA-256; a flac has none."""
    clips = find_clips(folder)
    findings = []
    for name, sha in progress.track(checksums().items(), description="hashing", enabled=verbose):
        path = clips.get(name)
        known = None if path is not None and path.suffix == ".flac" else sha
        findings.append(check_file(path, folder, known, f"Actor_{name[-2:]}/{name}.wav"))
    return findings + find_extra(files.find_audio_files(folder).paths, set(clips.values()), folder)


@registry.register_dataset(INFO, validate=validate)
def fetch_ravdess_song(
    *,
    subset: Literal["all", "koh2021"] = "all",
    subset_seed: Annotated[int, estimators.Interval(Integral, 0, None, closed="left")] = 0,
    data_home: registry.DataHome = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
):
    """Load the song part of RAVDESS, from its folder or from Zenodo.

    =================   ==========================================
    Clips                1012, of 3.5 to 6.4 s
    Classes              neutral, calm, happy, sad, angry, fearful
    Groups               23 singers
    Licence              CC BY-NC-SA 4.0
    =================   ==========================================

    Parameters
    ----------
    subset : {"all", "koh2021"}, default="all"
        "koh2021" keeps 20 of the 184 fearful clips, 848 clips in all: the number in
        the study of Koh and Dubnov (2021), who do not state which 20.

    subset_seed : int, default=0
        Seed that draws the 20 fearful clips of "koh2021". The draw is made from the
        published names, so it does not depend on which clips are in place.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : ndarray of str, shape (n_clips,)
            Paths of the clips, in the order of singer and file name.
        target : ndarray of str, shape (n_clips,)
            The emotions.
        target_names : list of str
            The six emotions.
        groups : ndarray of int, shape (n_clips,)
            The number of the singer.
        frame : DataFrame, shape (n_clips, 9)
            path, label, group; emotion, intensity ("normal", "strong"), statement
            ("kids", "dogs"), repetition, actor, sex.
        DESCR : str
            Description, counts, licence and citation.

    (data, target) : tuple
        If ``return_X_y`` is True.

    Raises
    ------
    DatasetNotFoundError
        If no clip is in place, and none may or can be downloaded.

    Warns
    -----
    IncompleteDatasetWarning
        If published clips are missing.

    References
    ----------
    .. [1] Livingstone, S. R., and Russo, F. A., "The Ryerson Audio-Visual Database of
       Emotional Speech and Song (RAVDESS)", PLoS ONE 13(5), e0196391, 2018.

    Examples
    --------
    >>> from skmer.datasets import fetch_ravdess_song
    >>> dataset = fetch_ravdess_song()  # doctest: +SKIP
    >>> dataset.frame.groupby("emotion").size()  # doctest: +SKIP
    """
    folder = INFO.place(data_home)
    clips = find_clips(folder)
    if not clips:
        if not download_if_missing:
            raise files.not_in_place("clip", folder, INFO, ARCHIVE.filename)
        places = {f"Actor_{name[-2:]}/{name}.wav": sha for name, sha in checksums().items()}
        fetch.download_and_unpack(ARCHIVE, folder, checksums=places)
        clips = find_clips(folder)
    published = list(checksums())
    if subset == "koh2021":
        published = _koh2021_names(published, subset_seed)
    missing = [name for name in published if name not in clips]
    names = [name for name in published if name in clips]
    if missing:
        singers = messages.shorten(sorted({name[-2:] for name in missing}), 24)
        registry.warn_caller(
            f"{len(missing)} of {len(published)} clips of RAVDESS song are missing in {folder}, of "
            f"the singers {singers}; the {len(names)} others are used. For all of them unpack "
            f"{ARCHIVE.filename} from {INFO.url} there, or fetch it into another folder.",
            IncompleteDatasetWarning,
        )
    return registry.make_bunch(
        _make_frame(names, clips), INFO, target_names=list(INFO.class_counts)
    )

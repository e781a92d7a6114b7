"""Whether weights on this machine are the published ones and give the published numbers."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from skmer.embeddings.loading import load_l3_weights, load_vggish_pca
from skmer.embeddings.musicnn_weights import load_musicnn_weights, musicnn_state, obtain_musicnn
from skmer.embeddings.weights import (
    REGISTRY,
    WeightsFile,
    checksums_of,
    find_entry,
    find_installed,
    obtain,
    weights_folder,
    weights_source,
)
from skmer.exceptions import WeightsIntegrityError
from skmer.utils.download import find_mismatch


@dataclass(frozen=True, kw_only=True)
class WeightsRow:
    """One set of published weights.

    Attributes
    ----------
    name : str
        What `fetch_weights` and `verify_weights` call it.
    file : str
        The published file that holds it.
    path : pathlib.Path
        Where it is, or where it belongs.
    present : bool
        Whether a copy is on this machine.
    state : {"missing", "verified", "converted", "unknown", "wrong"}
        "verified" = its checksums match; "converted" = the arrays made from it are here, and are
        the published ones; "unknown" = inside an installed openl3, for which no checksum is
        published.
    size : int or None
        Of the copy that is here, else of the published file where that is known [bytes].
    source : str
        The address, or the package, that it is fetched from.
    licence, citation : str
        As its authors state them.
    """

    name: str
    file: str
    path: Path
    present: bool
    state: str
    size: int | None
    source: str
    licence: str
    citation: str


def list_weights() -> list[WeightsRow]:
    """List the published weights and their copies on this machine.

    Nothing is downloaded, and nothing is moved. Files that are here are read, to verify them.

    Returns
    -------
    rows : list of WeightsRow
        One for each set of weights, with `name`, `file`, `path`, `present`, `state`, `size`,
        `source`, `licence` and `citation`.

    See Also
    --------
    fetch_weights : Download one of them.
    verify_weights : Compare the numbers that they give with published ones.

    Examples
    --------
    >>> from skmer.embeddings import list_weights
    >>> for row in list_weights():
    ...     if row.name.startswith("musicnn"):
    ...         print(row.name, row.licence, row.source)
    musicnn-msd ISC the package musicnn==0.1.0
    musicnn-mtt ISC the package musicnn==0.1.0
    """
    return [_describe(entry) for entry in REGISTRY.values()]


def describe_weights(name: str) -> WeightsRow:
    """The row of one published file."""
    return _describe(find_entry(name))


def fetch_weights(name: str) -> Path:
    """Download published weights, unless a good copy is on this machine.

    A download is verified against the published checksum before anything reads it, goes on where
    an earlier one broke, and is done by one process at a time. MusiCNN's weights are fetched by the
    package client of this environment, pip or uv, with the user's settings.

    Parameters
    ----------
    name : str
        As `list_weights` has it, e.g. "openl3-mel256-music", "musicnn-msd" or "vggish".

    Returns
    -------
    path : pathlib.Path
        Of the file that `weights="pretrained"` reads.

    Raises
    ------
    WeightsNotFoundError
        When the file is not here and cannot be had; the message says why, where it comes from and
        where to put it by hand.
    WeightsIntegrityError
        When what is here, or what was downloaded, is not the published file.
    ValueError
        For a name that is not in the list.

    See Also
    --------
    list_weights : What there is.

    Examples
    --------
    >>> from skmer.embeddings import fetch_weights
    >>> fetch_weights("musicnn-msd")  # doctest: +SKIP
    PosixPath('/home/me/.cache/skmer/weights/musicnn_msd.npz')
    >>> fetch_weights("musicnn")
    Traceback (most recent call last):
        ...
    skmer.exceptions.InputError: The weights are one of openl3-linear-env, openl3-linear-music,
    openl3-mel128-env, openl3-mel128-music, openl3-mel256-env, openl3-mel256-music, musicnn-msd,
    musicnn-mtt, vggish, vggish-pca. Got 'musicnn' instead.
    """
    entry = find_entry(name)
    if entry.requirement is not None:
        return obtain_musicnn(name.removeprefix("musicnn-"))
    return obtain(entry)


def _describe(entry: WeightsFile) -> WeightsRow:
    """The row of one entry."""
    path, state = _find(entry)
    return WeightsRow(
        name=entry.name,
        file=entry.file,
        path=path,
        present=state != "missing",
        state=state,
        size=path.stat().st_size if path.exists() else entry.size,
        source=weights_source(entry),
        licence=entry.licence,
        citation=entry.citation,
    )


def _find(entry: WeightsFile) -> tuple[Path, str]:
    """(path, state) of the copy that would be used."""
    if entry.requirement is not None:
        return musicnn_state(entry.name.removeprefix("musicnn-"))
    target = weights_folder() / entry.file
    path = target if target.exists() else find_installed(entry)
    if path is None:
        return target, "missing"
    checksums = checksums_of(path, entry)
    if not checksums:
        return path, "unknown"
    return path, "verified" if find_mismatch(path, checksums) is None else "wrong"


# Least mean cosine and largest relative error of a frame's mean and standard deviation. The
# front-ends are exact, but the reference was resampled from 44.1 kHz by another resampler, and
# above 22 kHz holds the rounding noise of another FFT, of which the linear one sees most. Other
# weights give far less; the wrong one of two front-ends at mel256 0.98 and 5 to 11 %.
TOLERANCES = {"openl3-mel256-music": (0.99, 0.04), "openl3-linear-env": (0.98, 0.05)}
# Of the largest value of a layer; measured up to 5e-6.
MUSICNN_ERROR = 1e-4
MUSICNN_LAYERS = ("mean_pool", "max_pool", "penultimate", "tags")
# As in the published smoke test of VGGish, whose figures these are.
VGGISH_ERROR = 0.1
VGGISH_FIGURES = {"vggish": (None, 0.000657, 0.343), "vggish-pca": ("quantize", 126.0, 89.3)}
# The settings of openl3's own regression files.
L3_SETTINGS = {
    "openl3-mel256-music": {"embedding_size": 6144, "hop_size": 0.1, "center": True},
    "openl3-linear-env": {"embedding_size": 512, "hop_size": 0.5, "center": False},
}


@dataclass(frozen=True)
class WeightsCheck:
    """One thing that was checked: what, whether it passed, and the figures in words."""

    what: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class WeightsReport:
    """What is known of one set of published weights.

    Attributes
    ----------
    name : str
        As `list_weights` has it.
    path : pathlib.Path
        The file that was checked.
    state : str
        As in `list_weights`.
    checks : tuple of WeightsCheck
        With `what`, `passed` and `detail`; none for a file that is not here.
    """

    name: str
    path: Path
    state: str
    checks: tuple[WeightsCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether the file is here and passed everything that was checked."""
        return bool(self.checks) and all(check.passed for check in self.checks)


def verify_weights(name: str) -> WeightsReport:
    """Check published weights: their checksum, their arrays, and the numbers that they give.

    The embeddings of a known clip are compared with figures that the authors of the network, or
    their own code, have computed. Nothing is downloaded; a file that is not here gives a report
    without checks.

    Parameters
    ----------
    name : str
        As `list_weights` has it, e.g. "openl3-mel256-music", "musicnn-msd" or "vggish".

    Returns
    -------
    report : WeightsReport
        `report.checks` says what was checked, with the figures; `report.passed` sums it up.

    Raises
    ------
    ValueError
        For a name that is not in the list.

    See Also
    --------
    list_weights : What there is.
    fetch_weights : Download one of them.

    Examples
    --------
    >>> from skmer.embeddings import verify_weights
    >>> report = verify_weights("vggish-pca")
    >>> [check.what for check in report.checks if not check.passed]
    []
    """
    row = describe_weights(name)
    if row.state == "missing":
        return WeightsReport(row.name, row.path, row.state, ())
    checks = [_check_checksum(row.state)]
    if checks[0].passed:
        verify = {"musicnn": _verify_musicnn, "vggish": _verify_vggish}.get(
            name.partition("-")[0], _verify_l3
        )
        try:
            checks += verify(name)
        except WeightsIntegrityError as error:
            checks.append(WeightsCheck("arrays", False, str(error)))
    return WeightsReport(row.name, row.path, row.state, tuple(checks))


def _check_checksum(state: str) -> WeightsCheck:
    """What the list says of the file, as a check."""
    detail = {
        "verified": "matches the published one",
        "converted": "the arrays are the published ones",
        "unknown": "none is published for the unpacked file inside openl3",
        "wrong": "does not match the published one",
    }
    return WeightsCheck("checksum", state != "wrong", detail[state])


def _verify_l3(name: str) -> list[WeightsCheck]:
    """Shapes and values of the arrays, and openl3's regression figures where there are some."""
    _, input_repr, content_type = name.split("-")
    loaded = load_l3_weights(
        "pretrained", content_type=content_type, input_repr=input_repr, random_state_seed=0
    )
    checks = [WeightsCheck("arrays", True, f"{len(loaded.arrays)} of the right shapes, all finite")]
    if name not in L3_SETTINGS:
        return checks
    reference = files("skmer.embeddings") / "reference"
    with (
        as_file(reference / "openl3_chirp.npz") as figures,
        as_file(reference / "chirp_44k.flac") as clip,
        np.load(figures, allow_pickle=False) as published,
    ):
        for frontend in ("trained", "kapre", "librosa"):
            frames = _embed_l3(name, frontend, clip)
            checks.append(_compare(name, frontend, frames, published))
    return checks


def _embed_l3(name: str, frontend: str, clip: Path) -> np.ndarray:
    """The clip's frames by the network called `name`."""
    from skmer.embeddings.l3 import L3Transformer

    _, input_repr, content_type = name.split("-")
    settings: dict[str, Any] = dict(
        content_type=content_type, input_repr=input_repr, frontend=frontend, **L3_SETTINGS[name]
    )
    transformer = L3Transformer(weights="pretrained", **settings)
    return transformer.fit([clip]).transform_frames([clip])[0]


def _compare(name: str, frontend: str, frames: np.ndarray, published) -> WeightsCheck:
    """Frames beside openl3's published figures."""
    key = f"{name}|{frontend}|"
    least_cosine, largest_error = TOLERANCES[name]
    what = f"openl3's published embedding of a chirp, front-end '{frontend}'"
    columns = published[f"{key}columns"]
    if len(frames) != len(columns):
        return WeightsCheck(what, False, f"{len(frames)} frames instead of {len(columns)}")
    step = frames.shape[1] // columns.shape[1]
    ours = frames[:, step // 2 :: step]
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(columns, axis=1)
    cosine = float(np.mean(np.sum(ours * columns, axis=1) / norms))
    error = max(
        float(np.max(np.abs(figure / published[f"{key}{statistic}"] - 1)))
        for statistic, figure in (("mean", frames.mean(axis=1)), ("std", frames.std(axis=1)))
    )
    detail = (
        f"mean cosine {cosine:.5f} (at least {least_cosine}), means and standard deviations of "
        f"the frames within {error:.1%} (at most {largest_error:.0%})"
    )
    return WeightsCheck(what, cosine >= least_cosine and error <= largest_error, detail)


def _verify_musicnn(name: str) -> list[WeightsCheck]:
    """The arrays, which are known by their content, and all layers for a clip of one patch."""
    from skmer.embeddings.musicnn import MusiCNNTransformer

    trained_on = name.removeprefix("musicnn-")
    loaded = load_musicnn_weights("pretrained", trained_on, seed=0)
    detail = f"{len(loaded.arrays)} of the right shapes, and the published ones by their SHA-256"
    checks = [WeightsCheck("arrays", True, detail)]
    reference = files("skmer.embeddings") / "reference"
    with (
        as_file(reference / "musicnn.npz") as figures,
        as_file(reference / "musicnn_16k.flac") as clip,
        np.load(figures, allow_pickle=False) as published,
    ):
        settings: dict[str, Any] = {"trained_on": trained_on, "layer": MUSICNN_LAYERS}
        transformer = MusiCNNTransformer(**settings)
        frames = transformer.fit([clip]).transform_frames([clip])[0]
        start = 0
        for layer in MUSICNN_LAYERS:
            expected = published[f"{name}|{layer}"]
            got = frames[:, start : start + expected.shape[1]]
            start += expected.shape[1]
            error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
            detail = f"within {error:.1e} of the largest value (at most {MUSICNN_ERROR:g})"
            what = f"the published code's {layer} of a clip"
            checks.append(WeightsCheck(what, error <= MUSICNN_ERROR, detail))
    return checks


def _verify_vggish(name: str) -> list[WeightsCheck]:
    """The published smoke test: three seconds of a 1 kHz sine."""
    from skmer.embeddings.vggish import VGGishTransformer

    if name == "vggish-pca":
        load_vggish_pca("pretrained", seed=0)
        missing = [each for each in VGGISH_FIGURES if describe_weights(each).state == "missing"]
        if missing:
            detail = f"the right shapes, all finite; '{missing[0]}' is missing, so not run"
            return [WeightsCheck("arrays", True, detail)]
    postprocess, mean, std = VGGISH_FIGURES[name]
    tone = np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / 16000))
    settings: dict[str, Any] = {"postprocess": postprocess}
    transformer = VGGishTransformer(weights="pretrained", **settings)
    frames = transformer.fit([(tone, 16000)]).transform_frames([(tone, 16000)])[0]
    got = float(frames.mean()), float(frames.std())
    passed = bool(np.allclose(got, (mean, std), rtol=VGGISH_ERROR, atol=0))
    what = "published smoke test of VGGish" + (", post-processed" if postprocess else "")
    detail = (
        f"mean {got[0]:.6g} and standard deviation {got[1]:.4g} (published {mean:g} and {std:g}, "
        f"within {VGGISH_ERROR:.0%})"
    )
    return [WeightsCheck(what, passed, detail)]

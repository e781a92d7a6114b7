"""The features that have a name, each as the study has it and as it is better done."""

from typing import Any

from skmer.embeddings.base import BaseClipTransformer
from skmer.embeddings.l3 import L3Transformer
from skmer.embeddings.mfcc import MFCCStatsTransformer
from skmer.embeddings.musicnn import MusiCNNTransformer
from skmer.embeddings.vggish import VGGishTransformer
from skmer.exceptions import InputError
from skmer.utils.estimators import Memory, Preset, RandomState, Weights

FEATURES = ("musicnn", "l3", "vggish", "mfcc")
_PRESETS = ("koh2021", "tuned")


def make_transformer(
    name: str,
    *,
    preset: Preset = "tuned",
    weights: Weights = "pretrained",
    random_state: RandomState = None,
    memory: Memory = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> BaseClipTransformer:
    """Return the transformer of a feature that has a name, unfitted.

    Parameters
    ----------
    name : {"musicnn", "l3", "vggish", "mfcc"}
        MusiCNN, L3-Net, VGGish, or statistics of mel-frequency cepstral coefficients; `FEATURES`
        has these names.
    preset : {"tuned", "koh2021"}, default="tuned"
        "tuned" is the transformer as it comes. "koh2021" is what the study did: its L3-Net has a
        hop of 0.1 s and the spectrogram of its time; the others are the same. It had no MusiCNN.
    weights : {"pretrained", None} or path, default="pretrained"
        Weights of the network, as of the transformer; "mfcc" has none.
    random_state : int, RandomState instance or None, default=None
        Seed of random weights.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache.
    n_jobs : int, default=None
        Number of jobs over clips, in joblib's meaning.
    verbose : bool, default=False
        Show a progress bar over clips.

    Returns
    -------
    transformer : BaseClipTransformer
        With the settings of `preset`.

    Raises
    ------
    InputError
        If the name or the preset is unknown.

    See Also
    --------
    skmer.classifiers.make_classifier : The same for classifiers.

    References
    ----------
    Koh, E., & Dubnov, S. (2021). Comparison and analysis of deep audio embeddings for music
    emotion recognition. arXiv:2104.06517.

    Examples
    --------
    >>> from skmer.embeddings import make_transformer
    >>> make_transformer("l3", preset="koh2021")
    L3Transformer(frontend='trained', hop_size=0.1)
    >>> make_transformer("mfcc", memory="my_cache")
    MFCCStatsTransformer(memory='my_cache')
    """
    for parameter, value, allowed in (("name", name, FEATURES), ("preset", preset, _PRESETS)):
        if not isinstance(value, str) or value not in allowed:
            raise InputError(
                f"The {parameter!r} parameter of make_transformer must be one of "
                f"{', '.join(map(repr, allowed))}. Got {value!r} instead."
            )
    shared: dict[str, Any] = {"memory": memory, "n_jobs": n_jobs, "verbose": verbose}
    if name == "mfcc":
        return MFCCStatsTransformer(**shared)
    # A seed says something of random weights alone, and is shown with them alone.
    network: dict[str, Any] = {
        "weights": weights,
        "random_state": random_state if weights is None else None,
    }
    if name == "musicnn":
        return MusiCNNTransformer(**network, **shared)
    if name == "vggish":
        return VGGishTransformer(**network, **shared)
    # The study (April 2021) is older than openl3 0.4, whose spectrograms are others.
    study: dict[str, Any] = {"hop_size": 0.1, "frontend": "trained"} if preset == "koh2021" else {}
    return L3Transformer(**study, **network, **shared)

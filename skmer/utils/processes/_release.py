"""Networks are kept in memory from one call to the next, until somebody asks for the memory."""

import gc
from collections.abc import Callable

_releases: list[Callable[[], None]] = []


def on_release(forget: Callable[[], None]) -> Callable[[], None]:
    """Have `forget` called whenever networks are to be freed; a decorator.

    Examples
    --------
    >>> from skmer.utils.processes._release import on_release
    >>> kept = {}
    >>> forget = on_release(kept.clear)
    """
    _releases.append(forget)
    return forget


def release_networks() -> None:
    """Free the networks that this process keeps in memory for the next call.

    Embedding networks and Keras classifiers are loaded when they are first used and kept, a few of
    each; call this when the memory is wanted for something else. Nothing breaks: a network that
    is used again is loaded again. Fitted classifiers keep what they have learnt.

    Where Keras classifiers ran, TensorFlow's kernels are freed too, as they are when more
    architectures were trained than are kept. Of TensorFlow's own random operations, outside of
    functions, those that were given a seed of their own begin again thereby.

    Examples
    --------
    >>> from skmer.embeddings import release_networks
    >>> release_networks()
    """
    for forget in _releases:
        forget()
    # Networks refer to themselves by way of their traced functions.
    gc.collect()

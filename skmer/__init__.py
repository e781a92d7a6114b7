"""Deep audio embeddings and music emotion recognition in scikit-learn's terms."""

from typing import TYPE_CHECKING

from skmer._version import __version__

if TYPE_CHECKING:
    from skmer.embeddings import (
        ClipFunctionTransformer,
        HubTransformer,
        L3Transformer,
        MFCCStatsTransformer,
        MusiCNNTransformer,
        VGGishTransformer,
    )

__all__ = [
    "ClipFunctionTransformer",
    "HubTransformer",
    "L3Transformer",
    "MFCCStatsTransformer",
    "MusiCNNTransformer",
    "VGGishTransformer",
    "__version__",
]


def __getattr__(name: str):
    # Loaded when first asked for: `skmer --help` need not wait for scikit-learn.
    if name in __all__:
        import skmer.embeddings

        return getattr(skmer.embeddings, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

from ._version import __version__ as __version__
from .embeddings import ClipFunctionTransformer as ClipFunctionTransformer
from .embeddings import HubTransformer as HubTransformer
from .embeddings import L3Transformer as L3Transformer
from .embeddings import MFCCStatsTransformer as MFCCStatsTransformer
from .embeddings import MusiCNNTransformer as MusiCNNTransformer
from .embeddings import VGGishTransformer as VGGishTransformer

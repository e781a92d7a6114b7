from .base import BaseClipTransformer as BaseClipTransformer
from .extraction import Extraction as Extraction
from .extraction import extract as extract
from .extraction import extract_files as extract_files
from .function import ClipFunctionTransformer as ClipFunctionTransformer
from .hub import HubTransformer as HubTransformer
from .l3 import L3Transformer as L3Transformer
from .mfcc import MFCCStatsTransformer as MFCCStatsTransformer
from .musicnn import MusiCNNTransformer as MusiCNNTransformer
from .recipe import Recipe as Recipe
from .registry import FEATURES as FEATURES
from .registry import Feature as Feature
from .registry import make_transformer as make_transformer
from .registry import resolve_features as resolve_features
from .vggish import VGGishTransformer as VGGishTransformer
from .weights import fetch_weights as fetch_weights
from .weights import list_weights as list_weights
from .weights import verify_weights as verify_weights

def release_networks() -> None: ...

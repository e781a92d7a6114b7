"""Transformers from clips to embeddings."""

import lazy_loader

# The names stand in the stub beside this file and are loaded when they are first used: the help of
# the command needs none of them, and worker processes embed clips without scikit-learn.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

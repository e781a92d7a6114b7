"""Transformers from clips to embeddings."""

import lazy_loader

from skmer.utils.processes import release_networks as release_networks

# The names stand in the stub beside this file and are loaded when they are first used: worker
# processes embed clips without scikit-learn.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["release_networks"]

"""Deep audio embeddings and music emotion recognition in scikit-learn's terms."""

import lazy_loader

# The names stand in the stub beside this file and are loaded when they are first used:
# `skmer --help` need not wait for scikit-learn.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Fits of an evaluation: each on its training part alone, with groups apart inside it too."""

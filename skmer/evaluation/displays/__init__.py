"""Figures in scikit-learn's manner: arrays stored, ``from_*`` to make, ``plot`` to draw."""

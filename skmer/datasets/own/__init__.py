"""Clips of the user's own: a table of them, a folder for each label, or just paths."""

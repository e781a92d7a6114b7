"""Annotation tables, read by the names of their columns."""

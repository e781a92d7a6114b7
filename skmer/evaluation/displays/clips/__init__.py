"""Figures of clips themselves: what is heard in one, and where many lie."""

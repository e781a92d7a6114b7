"""A finished result as a page, and in a sentence; a result draws on these for its methods."""

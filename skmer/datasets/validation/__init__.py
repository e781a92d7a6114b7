"""What a check of a dataset's files looks at, and finds."""

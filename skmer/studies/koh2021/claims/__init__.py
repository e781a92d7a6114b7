"""What the study claims, and what can be said of each claim."""

"""Files that a person has put in place: found at any depth."""

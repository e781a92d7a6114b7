"""Names of artists, as they are compared."""


def normalise_name(name: str) -> str:
    """Artist's name without differences in case and white space."""
    return " ".join(name.casefold().split())

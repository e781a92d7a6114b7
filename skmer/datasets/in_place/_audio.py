"""Audio files below a folder."""

import re
from pathlib import Path

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")


def find_audio(folder: Path) -> dict[str, Path]:
    """Audio files anywhere below a folder, by the upper-case first word of their names."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith("."):
            found.setdefault(re.split(r"[^0-9A-Za-z]", path.stem)[0].upper(), path)
    return found

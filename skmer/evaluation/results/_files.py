"""How a result is written to files."""

import json
import re


def to_json(manifest: dict) -> str:
    """Write a manifest as JSON, one entry a line, but lists of rows on a single line."""
    text = json.dumps(manifest, indent=2, allow_nan=False)
    return re.sub(r"\[[\d,\s]+\]", lambda rows: re.sub(r"\s+", " ", rows[0]), text) + "\n"

"""The size of the rooms: a newcomer takes in a folder at a glance, and a file in one sitting."""

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [path for part in ("skmer", "tests") for path in (ROOT / part).rglob("*.py")]


def test_no_file_is_above_400_lines():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path.relative_to(ROOT): n for path, n in lines.items() if n > 400} == {}


def test_no_folder_is_above_a_dozen_files():
    counts = Counter(path.parent for path in FILES)
    assert {folder.relative_to(ROOT): n for folder, n in counts.items() if n > 12} == {}

"""Print the lines of code, files, imports and raises of every room, to be looked at.

Docstrings, comments and blank lines are not counted: ``python .ci/rooms.py [folder]``. The modules
with a single importer follow; ``docs/guide/house.rst`` states why each is a file of its own.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def count(path: Path) -> Counter:
    """Count what one file holds."""
    source = path.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {
        line
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node.value.value, str)
        for line in range(node.lineno, node.end_lineno + 1)
    }
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in LAYOUT and token.string
        for line in range(token.start[0], token.end[0] + 1)
    }
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return Counter(
        code=len(code - docstrings),
        files=1,
        imports=sum(node.end_lineno - node.lineno + 1 for node in imports),
        raises=sum(isinstance(node, ast.Raise) for node in nodes),
    )


def find_single_importers(folder: Path) -> dict[str, str]:
    """Return the one importer of each module that has one, other than an ``__init__``."""
    files = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts): path
        for path in folder.rglob("*.py")
    }
    importers: dict[str, set[str]] = {name: set() for name in files}
    # A stub names what its package loads when it is first used.
    for path in (*files.values(), *folder.rglob("*.pyi")):
        parent = ".".join(path.parent.relative_to(folder.parent).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = f"{parent}.{node.module}" if node.level else node.module
                # A name of a package may be a module in it.
                for one in (module, *(f"{module}.{alias.name}" for alias in node.names)):
                    importers.get(one, set()).add(f"{parent}.{path.stem}")
    single = {name: found.pop() for name, found in importers.items() if len(found) == 1}
    return {name: one for name, one in single.items() if not one.endswith("__init__")}


def main(folder: str = "skmer") -> None:
    """Print a row for every room of `folder`, and their sum."""
    rooms: dict[str, Counter] = {}
    for path in sorted(Path(folder).rglob("*.py")):
        parts = path.relative_to(folder).parts
        rooms.setdefault(parts[0] if len(parts) > 1 else ".", Counter()).update(count(path))
    rooms["all"] = sum(rooms.values(), Counter())
    print(f"{'room':<14}{'code':>8}{'files':>8}{'imports':>9}{'raises':>8}")
    for room, row in rooms.items():
        print(f"{room:<14}{row['code']:>8}{row['files']:>8}{row['imports']:>9}{row['raises']:>8}")
    for name, importer in find_single_importers(Path(folder)).items():
        print(f"{name} is imported by {importer} alone")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Published datasets that hold the songs of others."""

from pathlib import PurePath

from skmer.datasets import list_datasets
from skmer.evaluation.auditing._finding import AuditFinding


def contained_sets(datasets, items, paths) -> dict[tuple[str, str], list[tuple[int, ...]]]:
    """Rows of one song, by the dataset that has it from another and by that other.

    A song's code is its item, or what the name of its file is or has before " - ".
    """
    table = list_datasets()
    known = {_plain(name): name for name in table.name}
    known |= {_plain(title): name for name, title in zip(table.name, table.title)}
    names = [known.get(_plain(dataset)) for dataset in datasets]
    codes = [_code(item) for item in items] if items is not None else list(map(_code_of, paths))
    found = {}
    for outer, contains in zip(table.name, table.contains):
        for inner in contains:
            of_inner, of_outer = (
                {code: row for row, code in enumerate(codes) if names[row] == which}
                for which in (inner, outer)
            )
            shared = [code for code in of_inner if code in of_outer]
            if shared:
                found[outer, inner] = [
                    tuple(sorted((of_inner[code], of_outer[code]))) for code in shared
                ]
    return found


def contained(evidence, splits) -> list[AuditFinding]:
    """Say which datasets hold songs of others, and whether a split trains on one of them."""
    findings = []
    for (outer, inner), sets in evidence.contained.items():
        crossing = [rows for rows in sets if splits is not None and splits.crossed_by(rows)]
        across = "no split given separates them"
        if crossing:
            across = f"{len(crossing)} of them on both sides of a split"
        findings.append(
            AuditFinding(
                "contained_dataset",
                "error" if crossing else "warning",
                f"{outer} contains {inner}: {len(sets)} clips are in both under the same codes, "
                f"{across}; leave them out of one of the two.",
                tuple(sets),
            )
        )
    return findings


def _plain(name) -> str:
    """A dataset's name without case, blanks and punctuation."""
    return "".join(filter(str.isalnum, str(name).casefold()))


def _code(item) -> str:
    return str(item).strip().upper()


def _code_of(path) -> str:
    return _code(PurePath(path).stem.split(" - ")[0])

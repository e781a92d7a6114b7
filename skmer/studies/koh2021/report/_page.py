"""The report: one html page that stands alone."""

from datetime import UTC, datetime

import numpy as np

from skmer.studies.koh2021._datasets import titles
from skmer.studies.koh2021._editions import EDITIONS, describe_reductions
from skmer.studies.koh2021._findings import Findings
from skmer.studies.koh2021._published import DATASETS, published
from skmer.studies.koh2021.claims._claims import Claim
from skmer.studies.koh2021.pieces._maps import SingerMap
from skmer.studies.koh2021.report import _figures
from skmer.studies.koh2021.report._html import table_as_html
from skmer.utils._versions import versions


def render_page(findings: Findings, claims: list[Claim]) -> str:
    """Return the page as a string."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("skmer.studies.koh2021.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("koh2021.html.j2").render(
        findings=findings,
        titles=titles(),
        published=published(),
        editions=EDITIONS,
        changes=describe_reductions(findings.budget),
        counts=_counts(findings),
        rows=[_row(row) for row in findings.table.to_dict("records")],
        claims=claims,
        tally=_tally(claims),
        gaps=_gaps(findings),
        sections=[_section(findings, dataset) for dataset in findings.datasets.names],
        regressions=_regressions(findings),
        maps=[
            (drawn, _figures.draw_map(drawn), table_as_html(_purity(drawn)))
            for drawn in findings.maps.values()
        ],
        sizes=_figures.draw_sizes(findings),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _counts(findings: Findings) -> list[dict]:
    """Return a row for each dataset: what is printed, and what is here."""
    rows = []
    for dataset in DATASETS:
        classes = [row for row in findings.class_counts if row["dataset"] == dataset]
        here = [row["here"] for row in classes]
        rows.append(
            {
                "title": titles()[dataset],
                "classes": [row["class"] for row in classes],
                "published": [row["published"] for row in classes],
                "here": None if None in here else here,
                "missing": findings.datasets.missing.get(dataset),
            }
        )
    return rows


def _row(row: dict) -> dict:
    """Return a row of the table in words."""
    cells: dict[str, object] = {"title": titles()[row["dataset"]]}
    cells |= {name: row[name] for name in ("feature", "classifier", "target", "score")}
    cells["published"] = _number(row["published"])
    for edition in EDITIONS:
        name = edition.name
        interval = ""
        if np.isfinite(row[f"{name}_low"]):
            interval = f"{row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}"
        gap = row[f"{name}_gap"]
        protocol = row[f"{name}_protocol"]
        cells[name] = {
            "estimate": _number(row[name]),
            "interval": interval,
            "gap": f"{gap:+.3f}" if np.isfinite(gap) else "",
            "protocol": protocol if isinstance(protocol, str) else "",
        }
    return cells


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else ""


def _tally(claims: list[Claim]) -> dict[str, dict[str, int]]:
    """Count the verdicts of each edition."""
    tally: dict[str, dict[str, int]] = {edition.name: {} for edition in EDITIONS}
    for claim in claims:
        for edition, verdict in claim.verdicts.items():
            tally[edition][verdict.state] = tally[edition].get(verdict.state, 0) + 1
    return tally


def _gaps(findings: Findings) -> list[dict]:
    """Return the widest gap of each dataset and edition between random and grouped splits."""
    table = findings.table[findings.table["score"] == "accuracy"]
    rows = []
    for dataset in findings.datasets.names:
        for edition in EDITIONS:
            cells = table[table["dataset"] == dataset]
            gaps = cells[f"{edition.name}_gap"].astype(float)
            if gaps.notna().any():
                row = cells.iloc[int(np.nanargmax(gaps))]
                rows.append(
                    {
                        "title": titles()[dataset],
                        "edition": edition.name,
                        "widest": float(gaps.max()),
                        "cell": f"{row['feature']} + {row['classifier']}",
                        "mean": float(gaps.mean()),
                    }
                )
    return rows


def _section(findings: Findings, dataset: str) -> dict:
    """Return the figures and tables of one dataset; the editions stay in tables of their own."""
    summaries = []
    for edition in EDITIONS:
        result = findings.results[dataset, edition.name]
        columns = ["feature", "classifier", "protocol", "n_splits", "accuracy", "accuracy_std"]
        columns += ["f1_macro", "f1_weighted", "balanced_accuracy"]
        summary = result.summary()
        columns += ["gap"] if "gap" in summary else []
        summaries.append((edition, table_as_html(summary[columns])))
    return {
        "title": titles()[dataset],
        "bars": _figures.draw_bars(findings, dataset),
        "gaps": _figures.draw_gaps(findings, dataset),
        "best": _figures.draw_best(findings, dataset),
        "summaries": summaries,
    }


def _regressions(findings: Findings) -> list[tuple[str, str, str]]:
    """Return a table of scores for each feature and edition, equal ones once."""
    tables: dict[tuple[str, str], list[str]] = {}
    for (feature, edition), result in findings.regressions.items():
        summary = result.summary()
        intervals = findings.r2_intervals[feature, edition].rename(columns={"r2": "pooled r2"})
        keys = ["feature", "regressor", "target", "protocol"]
        table = summary[[*keys, "n_splits", "r2", "r2_std", "ccc", "rmse"]].merge(
            intervals, on=keys
        )
        html = table_as_html(table.drop(columns="feature"))
        names = tables.setdefault((feature, html), [])
        names.append(edition)
    return [(feature, " and ".join(names), html) for (feature, html), names in tables.items()]


def _purity(singer_map: SingerMap):
    """Return the purities of a map, a column a label."""
    table = singer_map.purity.pivot_table(index="perplexity", columns="label", values="purity")
    table.loc["by chance"] = singer_map.purity.groupby("label")["chance"].first()
    return table.reset_index()[["perplexity", "emotion", "singer", "sex"]]

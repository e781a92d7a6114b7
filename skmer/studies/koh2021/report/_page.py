"""The report: one html page that stands alone."""

from datetime import UTC, datetime

import numpy as np

from skmer.evaluation.report import Table, name_of, render_page
from skmer.studies.koh2021._datasets import titles
from skmer.studies.koh2021._editions import EDITIONS
from skmer.studies.koh2021._findings import Findings
from skmer.studies.koh2021._published import DATASETS, published
from skmer.studies.koh2021.claims._claims import Claim
from skmer.studies.koh2021.pieces._maps import SingerMap
from skmer.studies.koh2021.report import _figures
from skmer.studies.koh2021.report._html import drawn_for_page, table_as_html
from skmer.studies.koh2021.report._news import (
    find_cautions,
    find_news,
    make_headline,
    name_of_feature,
    sort_claims,
)
from skmer.utils._versions import versions


def render_study(findings: Findings, claims: list[Claim]) -> str:
    """Return the page as a string."""
    sorted_claims = sort_claims(claims)
    with drawn_for_page():
        drawings = {
            "sections": [_section(findings, dataset) for dataset in findings.datasets.names],
            "maps": [
                (drawn, _figures.draw_map(drawn), table_as_html(_purity(drawn)))
                for drawn in findings.maps.values()
            ],
            "sizes": _figures.draw_sizes(findings),
        }
    return render_page(
        "koh2021.html.j2",
        package=__package__,
        charts={},
        data={},
        title="Koh and Dubnov (2021) reproduced",
        headline=make_headline(sorted_claims),
        news=find_news(findings),
        cautions=find_cautions(findings),
        claims=sorted_claims,
        findings=findings,
        titles=titles(),
        published=published(),
        editions=EDITIONS,
        counts=_counts(findings),
        table=_main_table(findings),
        feature_name=name_of_feature,
        regressions=_regressions(findings),
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        **drawings,
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


def _main_table(findings: Findings) -> Table:
    """Return the table 'published / faithful / defensible', intervals and gaps at the end."""
    columns = ["Dataset", "Configuration", "Published"]
    columns += [edition.name.capitalize() for edition in EDITIONS]
    n_main = len(columns)
    for edition in EDITIONS:
        columns += [f"95 % interval, {edition.name}", f"Gap, {edition.name}"]
    rows = []
    for row in findings.table.to_dict("records"):
        feature = name_of_feature(row["feature"])
        if row["feature"] in findings.random_features:
            feature += " (random weights)"
        configuration = f"{feature} + {name_of(row['classifier'])}"
        if row["target"]:
            configuration += f", r² of {row['target']}"
        cells: list[tuple[str, float | str]] = [
            (text, text.lower()) for text in (titles()[row["dataset"]], configuration)
        ]
        cells.append(_number(row["published"]))
        for edition in EDITIONS:
            text, key = _number(row[edition.name])
            if row[f"{edition.name}_protocol"] == "koh2021" != edition.protocol:
                text += " (random: no groups)"
            cells.append((text, key))
        for edition in EDITIONS:
            low, high = row[f"{edition.name}_low"], row[f"{edition.name}_high"]
            cells.append((f"{low:.2f} to {high:.2f}" if low <= high else "", _key(high - low)))
            gap = row[f"{edition.name}_gap"]
            cells.append((f"{gap:+.2f}" if np.isfinite(gap) else "", _key(gap)))
        rows.append(cells)
    caption = "Accuracy, and r² where it says so: published, and found by two editions"
    if findings.table["addition"].any():
        caption += "; an addition is a feature that the study did not have"
    csv = findings.table.to_csv(index=False)
    return Table("study", caption, columns, rows, main=n_main - 1, csv=csv)


def _number(value: float) -> tuple[str, float]:
    return (f"{value:.2f}" if np.isfinite(value) else "", _key(value))


def _key(value: float) -> float:
    """Return what to sort by: empty cells below all others."""
    return value if np.isfinite(value) else -9.0


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
        "id": dataset,
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
    return [
        (name_of_feature(feature), " and ".join(names), html)
        for (feature, html), names in tables.items()
    ]


def _purity(singer_map: SingerMap):
    """Return the purities of a map, a column a label."""
    table = singer_map.purity.pivot_table(index="perplexity", columns="label", values="purity")
    table.loc["by chance"] = singer_map.purity.groupby("label")["chance"].first()
    table = table.reset_index()[["perplexity", "emotion", "singer", "sex"]]
    return table.rename_axis(columns=None)

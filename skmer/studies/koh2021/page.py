"""The report of the reproduction: one html page that stands alone."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from skmer.evaluation.report import tables, words
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.page import map_chart, render_page, scores_chart
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021.claims import HELD, NOT_HELD, Claim
from skmer.utils import digest


def name_of_feature(feature: str) -> str:
    """Return the name of a feature, with a remark where the study did not have it."""
    return words.name_of(feature) + (" (addition)" if feature in study.ADDITIONS else "")


def sort_claims(claims: list[Claim]) -> dict[str, list[Claim]]:
    """Put the claims under "held" in every edition tested, "not held" in one, or "untested"."""
    sorted_claims: dict[str, list[Claim]] = {HELD: [], NOT_HELD: [], "untested": []}
    for claim in claims:
        states = {verdict.state for verdict in claim.verdicts.values()} & {HELD, NOT_HELD}
        place = NOT_HELD if NOT_HELD in states else HELD if states else "untested"
        sorted_claims[place].append(claim)
    return sorted_claims


def make_headline(claims: dict[str, list[Claim]]) -> str:
    """Return one sentence on how many claims were tested, and how many hold."""
    held, fallen, untested = map(len, claims.values())
    tested = held + fallen
    if not tested:
        return f"None of the study's {untested} claims can be tested with what is in place."
    return (
        f"Of the study's {tested + untested} claims {tested} can be tested with what is in place: "
        f"{held} {'holds' if held == 1 else 'hold'}, {fallen} {'does' if fallen == 1 else 'do'} "
        "not hold in full."
    )


def find_news(findings) -> list[words.Note]:
    """Return what the numbers show beyond single claims."""
    repeats = [result.scores["repeat"].max() for result in findings.results.values()]
    return _collect(
        "news.txt.j2",
        findings,
        n_done=1 + max(repeats, default=0),
        mfcc=_compare_mfcc(findings),
        seen={key: Overview(result) for key, result in findings.results.items()},
        words=words,
    )


def _collect(template: str, findings, **context) -> list[words.Note]:
    shared = {"findings": findings, "study": study, "feature_name": name_of_feature}
    return words.collect_notes(template, package=__package__, **shared, **context)


def _compare_mfcc(findings):
    """Yield each best accuracy that the study printed, and those of MFCC, which has no network.

    They are the best by random splits, and those of its model and edition with groups kept apart.
    """
    for printed in study.published()["accuracy"]:
        if printed["dataset"] in findings.datasets.names:
            scores = pd.concat(
                findings.intervals[printed["dataset"], edition.name].assign(edition=edition.name)
                for edition in study.EDITIONS
            )
            random = study.rows_of(scores, {"feature": "mfcc", "protocol": "koh2021"})
            if not random.empty:
                top = random.iloc[int(random["accuracy"].argmax())]
                wanted = top[["feature", "classifier", "edition"]].to_dict()
                apart = study.rows_of(scores, wanted | {"protocol": "grouped"})
                yield printed, top, apart.to_dict("records")


def render_study(findings) -> str:
    """Return the page as a string."""
    claims = sort_claims(findings.claims)
    charts = {"-".join(key): scores_chart(Overview(one)) for key, one in findings.results.items()}
    return render_page(
        "koh2021.html.j2",
        package=__package__,
        charts=charts | {"map": map_chart(map_points(findings))},
        data={},
        title="Koh and Dubnov (2021) reproduced",
        headline=make_headline(claims),
        news=find_news(findings),
        cautions=_collect("cautions.txt.j2", findings),
        claims=claims,
        findings=findings,
        study=study,
        table=_main_table(findings),
        feature_name=name_of_feature,
        purities={name: purity_table(one) for name, one in findings.maps.items()},
        versions=digest.versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _main_table(findings) -> tables.Table:
    """Return the table 'published / faithful / defensible', intervals and gaps at the end."""
    rows = []
    for row in findings.table.to_dict("records"):
        random = " (random weights)" if row["feature"] in findings.random_features else ""
        name = f"{name_of_feature(row['feature'])}{random} + {words.name_of(row['classifier'])}"
        name += f", r² of {row['target']}" if row["target"] else ""
        cells = [tables.text_cell("Dataset", study.titles()[row["dataset"]])]
        cells += [tables.text_cell("Configuration", name), _number("Published", row["published"])]
        for edition in study.EDITIONS:
            title, text, key = _number(edition.name.capitalize(), row[edition.name])
            if row[f"{edition.name}_protocol"] == "koh2021" != edition.protocol:
                text += " (random: no groups)"
            cells.append((title, text, key))
        main = len(cells) - 1
        for edition in study.EDITIONS:
            low, high = row[f"{edition.name}_low"], row[f"{edition.name}_high"]
            _, _, width = _number("", high - low)
            text = f"{low:.2f} to {high:.2f}" if low <= high else ""
            cells.append((f"95 % interval, {edition.name}", text, width))
            cells.append(_number(f"Gap, {edition.name}", row[f"{edition.name}_gap"], "+.2f"))
        rows.append(cells)
    caption = "Accuracy, and r² where it says so: published, and found by two editions"
    if findings.table["addition"].any():
        caption += "; an addition is a feature that the study did not have"
    csv = findings.table.to_csv(index=False)
    return tables.make_table("study", caption, rows, main=main, csv=csv)


def _number(title: str, value: float, form: str = ".2f"):
    """Return a cell, which is empty where there is no value."""
    text = f"{value:{form}}" if value == value else ""
    return tables.number_cell(title, value, lambda _: text)


def purity_table(singer_map) -> str:
    """Return the purities of a map as a table element, a column a label."""
    table = singer_map.purity.pivot_table(index="perplexity", columns="label", values="purity")
    table.loc["by chance"] = singer_map.purity.groupby("label")["chance"].first()
    table = table.rename_axis(columns=None)[["emotion", "singer", "sex"]].reset_index()
    return table.to_html(index=False, float_format="{:.2f}".format, border=0)


def map_points(findings) -> list[dict]:
    """Return a row for each feature and clip of RAVDESS: place on the map, labels and address."""
    rows = []
    for name, one in findings.maps.items():
        clips = findings.datasets.clips["ravdess-song", study.FAITHFUL.name].data
        labels = pd.DataFrame(one.labels).astype(str).to_dict("records")
        for path, (x, y), targets in zip(map(Path, clips), one.points.round(2).tolist(), labels):
            row = {"feature": name, "x": x, "y": y, "targets": targets, "group": targets["singer"]}
            rows.append(row | {"clip": path.name, "address": path.resolve().as_uri()})
    return rows

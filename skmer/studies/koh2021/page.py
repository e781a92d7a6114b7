"""The report of the reproduction: one html page that stands alone."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from skmer.evaluation.report import words
from skmer.evaluation.report.overview import Overview
from skmer.evaluation.report.page import map_chart, render_page, scores_chart
from skmer.evaluation.report.tables import Table, make_table, number_cell, text_cell
from skmer.evaluation.report.words import Note, name_of
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021.claims import HELD, NOT_HELD, Claim
from skmer.utils import digest, messages

_MODELS = {
    "svm": "a support vector machine",
    "nb": "naive Bayes",
    "rf": "a random forest",
    "mlp": "a multilayer perceptron",
    "cnn": "a convolutional network",
    "lstm": "an LSTM",
}
_KEPT_APART = dict.fromkeys(study.DATASETS, "artists") | {"ravdess-song": "singers"}


def name_of_feature(feature: str) -> str:
    """Return the name of a feature, with a remark where the study did not have it."""
    return name_of(feature) + (" (addition)" if feature in study.ADDITIONS else "")


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


def find_news(findings) -> list[Note]:
    """Return what the numbers show beyond single claims."""
    return [*_unfinished(findings), *_mfcc_news(findings), *_result_news(findings)]


def _unfinished(findings):
    """Yield how many rounds were done, where it is not all of them."""
    if findings.ended_by is None:
        return
    why = "the time was over" if findings.ended_by == "time" else "it was interrupted"
    done = max((one.scores["repeat"].max() for one in findings.results.values()), default=0) + 1
    text = f"Not finished, since {why}: {done} of {findings.budget.n_rounds} "
    text += "rounds" + ("" if findings.rounds else ", and that only with the classifiers below")
    slowest = messages.name_slowest(findings.slowest()).strip()
    yield Note("doubtful", f"{text}. The same command goes on from here.", slowest)


def find_cautions(findings) -> list[Note]:
    """Return what limits all of it: less computing, data or weights than the study had."""
    notes = []
    changes = study.describe_reductions(findings.budget)
    if changes:
        text = "This is a quick run: it computes less than the study did, so its numbers are "
        text += "rougher, the networks are trained less, and its verdicts are provisional."
        notes.append(Note("doubtful", text, "; ".join(changes) + "."))
    for name, reason in findings.left_out.items():
        notes.append(Note("doubtful", f"{name_of_feature(name)} is left out.", reason))
    for name, label in findings.random_features.items():
        text = f"{name_of_feature(name)}: {label}. Its network was never trained; its numbers say "
        text += "nothing about the embedding of that name, and claims on it are not testable."
        notes.append(Note("bad", text))
    if findings.datasets.missing:
        names = ", ".join(study.titles()[name] for name in findings.datasets.missing)
        notes.append(Note("neutral", f"Not in place, and so untested: {names}."))
    return notes + [Note("doubtful", note) for note in findings.datasets.notes]


def _mfcc_news(findings):
    """Compare MFCC, which needs no network, with the best accuracies that the study printed."""
    for printed in study.published()["accuracy"]:
        dataset, best = printed["dataset"], printed["value"]
        if dataset not in findings.datasets.names:
            continue
        scores = pd.concat(
            findings.intervals[dataset, edition.name].assign(edition=edition.name)
            for edition in study.EDITIONS
        )
        plain = scores[scores["feature"] == "mfcc"]
        random = plain[plain["protocol"] == "koh2021"]
        if random.empty:
            continue
        top, groups = random.iloc[int(random["accuracy"].argmax())], _KEPT_APART[dataset]
        same = (plain["classifier"] == top["classifier"]) & (plain["edition"] == top["edition"])
        beats = top["accuracy"] > best
        text = (
            f"{study.titles()[dataset]}: plain MFCC with {_MODELS[top['classifier']]}, without any "
            f"network, {'beats' if beats else 'does not beat'} the study's best by random splits: "
            f"{words.in_hundred(top['accuracy'])} of 100 clips are named rightly, against "
            f"{words.in_hundred(best)} by {name_of_feature(printed['feature'])} + "
            f"{name_of(printed['classifier'])}"
        )
        detail = f"Settings of the {top['edition']} edition; accuracy by random splits "
        detail += _interval(top)
        for kept in plain[same & (plain["protocol"] == "grouped")].to_dict("records"):
            moves = "falls to" if kept["accuracy"] < top["accuracy"] else "has"
            text += f". With {groups} kept apart it {moves} {words.in_hundred(kept['accuracy'])}"
            detail += f", with {groups} kept apart {_interval(kept)}"
        yield Note("bad" if beats else "neutral", f"{text}.", f"{detail}; 95 % intervals.")


def _result_news(findings):
    """Yield the headline of each report, and what random splits add."""
    for (dataset, edition), result in findings.results.items():
        seen = Overview(result)
        text = f"{study.titles()[dataset]}, {edition}: {words.make_headline(seen)}"
        yield Note("neutral", text, " ".join(note.text for note in words.gap_notes(seen)))


def _interval(row) -> str:
    return words.with_interval(row["accuracy"], row["low"], row["high"])


def render_study(findings) -> str:
    """Return the page as a string."""
    claims = sort_claims(findings.claims)
    charts = {
        "-".join(key): scores_chart(Overview(result)) for key, result in findings.results.items()
    }
    return render_page(
        "koh2021.html.j2",
        package=__package__,
        charts=charts | {"map": map_chart(map_points(findings))},
        data={},
        title="Koh and Dubnov (2021) reproduced",
        headline=make_headline(claims),
        news=find_news(findings),
        cautions=find_cautions(findings),
        claims=claims,
        findings=findings,
        titles=study.titles(),
        published=study.published(),
        editions=study.EDITIONS,
        table=_main_table(findings),
        feature_name=name_of_feature,
        purities={name: purity_table(one) for name, one in findings.maps.items()},
        versions=digest.versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _main_table(findings) -> Table:
    """Return the table 'published / faithful / defensible', intervals and gaps at the end."""
    rows = []
    for row in findings.table.to_dict("records"):
        random = " (random weights)" if row["feature"] in findings.random_features else ""
        name = f"{name_of_feature(row['feature'])}{random} + {name_of(row['classifier'])}"
        name += f", r² of {row['target']}" if row["target"] else ""
        cells = [text_cell("Dataset", study.titles()[row["dataset"]])]
        cells += [text_cell("Configuration", name), _number("Published", row["published"])]
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
    return make_table("study", caption, rows, main=main, csv=findings.table.to_csv(index=False))


def _number(title: str, value: float, form: str = ".2f"):
    """Return a cell, which is empty where there is no value."""
    return number_cell(title, value, lambda number: f"{number:{form}}" if number == number else "")


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

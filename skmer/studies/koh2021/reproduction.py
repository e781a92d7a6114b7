"""The outcome of `reproduce_koh2021`: its numbers beside the published ones, and its claims."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from skmer.studies.koh2021.claims import Claim, judge_claims
from skmer.studies.koh2021.data import (
    ADDITIONS,
    DATASETS,
    EDITIONS,
    Budget,
    Feature,
    StudyDatasets,
    published,
)
from skmer.studies.koh2021.pieces import SingerMap
from skmer.utils.files import atomic_folder, check_output_folder
from skmer.utils.messages import html_list


@dataclass
class Reproduction:
    """Everything that `reproduce_koh2021` has found.

    Attributes
    ----------
    datasets : object
        The datasets in place, and why the others are not.
    budget : object
        How much was computed.
    seed : int
        The seed of every random number.
    features : dict of str to object
        The features that were run.
    left_out : dict of str to str
        Why the other features were not.
    results : dict of (dataset, edition) to EvaluationResult
        Classification, editions "faithful" and "defensible".
    regressions : dict of (feature, edition) to RegressionResult
        Arousal and valence of Emotion in Music.
    maps : dict of str to object
        The map of RAVDESS by feature.
    audits : dict
        What the leakage audits found.
    reports : dict
        The numbers of clips that the printed reports can come from.
    computed : list of str
        The pieces that this run computed; the others were there from an earlier one.
    """

    datasets: StudyDatasets
    budget: Budget
    seed: int
    features: dict[str, Feature] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    regressions: dict = field(default_factory=dict)
    maps: dict[str, SingerMap] = field(default_factory=dict)
    audits: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        features = self.features.items()
        return {name: str(one.weights_label) for name, one in features if one.is_random}

    @cached_property
    def intervals(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Accuracy with its interval, by dataset and edition."""
        return {key: result.intervals() for key, result in self.results.items()}

    @cached_property
    def r2_intervals(self) -> dict[tuple[str, str], pd.DataFrame]:
        """r2 with its interval, by feature and edition."""
        return {key: result.intervals() for key, result in self.regressions.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table 'published / faithful / defensible'.

        Columns dataset, feature, classifier, target, score, addition (whether the study did not
        have the feature), published, and for each edition the estimate, low, high, gap (random
        minus grouped) and the protocol of the headline.
        """
        rows = [row for dataset in DATASETS for row in self._accuracy_rows(dataset)]
        return pd.DataFrame([*rows, *self._r2_rows()])

    def _accuracy_rows(self, dataset: str) -> list[dict]:
        """Return a row for each cell that was run, or has a printed accuracy."""
        cells = {
            (row["feature"], row["classifier"]): row["value"]
            for row in published()["accuracy"]
            if row["dataset"] == dataset
        }
        tables = [self.intervals.get((dataset, edition.name)) for edition in EDITIONS]
        for table in tables:
            if table is not None:
                ran = zip(table["feature"], table["classifier"])
                cells |= dict.fromkeys((cell for cell in ran if cell not in cells), np.nan)
        rows = []
        for (feature, classifier), value in cells.items():
            cell = {"feature": feature, "classifier": classifier}
            row = {"dataset": dataset, **cell, "target": "", "score": "accuracy"}
            row |= {"addition": feature in ADDITIONS, "published": value}
            for edition, table in zip(EDITIONS, tables):
                protocol = None if table is None else edition.headline_protocol(table)
                row |= _columns(edition.name, table, cell, protocol, "accuracy", "koh2021")
            rows.append(row)
        return rows

    def _r2_rows(self) -> list[dict]:
        """Return a row for each target and feature: random splits beside the published split."""
        rows = []
        known = {row["target"]: row["value"] for row in published()["r2"]}
        ran = dict.fromkeys(feature for feature, _ in self.r2_intervals)
        targets = [(axis, label) for axis in known for label in ("static", "dynamic")]
        for feature in dict.fromkeys(["l3", *ran]):
            for axis, label in targets:
                # The study does not say which label; its predecessors took the static one.
                is_published = (feature, label) == ("l3", "static")
                if not is_published and feature not in ran:
                    continue
                target = f"{label} {axis}"
                row = {"dataset": "emomusic", "feature": feature, "classifier": "svr"}
                row |= {"target": target, "score": "r2", "addition": feature in ADDITIONS}
                row["published"] = known[axis] if is_published else np.nan
                for edition in EDITIONS:
                    table = self.r2_intervals.get((feature, edition.name))
                    wanted = "shuffled" if edition.protocol == "koh2021" else "fixed"
                    has_wanted = table is not None and wanted in set(table["protocol"])
                    protocol = wanted if has_wanted else "grouped"
                    cell = {"target": target}
                    row |= _columns(edition.name, table, cell, protocol, "r2", "shuffled")
                rows.append(row)
        return rows

    def estimate(self, edition: str, **cell) -> dict[str, float]:
        """Return estimate, low and high of one row of the table.

        Parameters
        ----------
        edition : {"faithful", "defensible"}
            The edition.
        **cell : dict of str to str
            Values of columns that only this row has.

        Returns
        -------
        found : dict of str to float
            The score and the ends of its interval.
        """
        row = _rows_of(self.table, cell).iloc[0]
        columns = {"estimate": edition, "low": f"{edition}_low", "high": f"{edition}_high"}
        return {name: float(row[column]) for name, column in columns.items()}

    @cached_property
    def claims(self) -> list[Claim]:
        """The claims of the study, each with a verdict for the editions that it concerns."""
        return judge_claims(self)

    def _repr_html_(self) -> str:
        """Return what the first screen of the page shows, for notebooks."""
        from skmer.studies.koh2021.page import find_news, make_headline, sort_claims

        news = [note.text for note in find_news(self)]
        return html_list([make_headline(sort_claims(self.claims)), *news])

    def save(self, folder) -> Path:
        """Write table.csv, claims.csv and report.html, all of them or none.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.
        """
        # Figures and templates are only needed here.
        from skmer.studies.koh2021.page import render_study

        folder = check_output_folder(folder)
        claims = pd.DataFrame(
            [
                (claim.text, claim.origin, edition, verdict.state, verdict.reason)
                for claim in self.claims
                for edition, verdict in claim.verdicts.items()
            ],
            columns=["claim", "origin", "edition", "verdict", "reason"],
        )
        page = render_study(self)
        with atomic_folder(folder) as whole:
            self.table.to_csv(whole / "table.csv", index=False)
            claims.to_csv(whole / "claims.csv", index=False)
            (whole / "report.html").write_text(page, encoding="utf-8")
        return folder


def _rows_of(table, cell: dict):
    """Return the rows of a table that have the values of the cell."""
    for column, value in cell.items():
        table = table[table[column] == value]
    return table


def _columns(edition: str, table, cell: dict, protocol, score: str, mixed: str) -> dict:
    """Return the columns of an edition: estimate, interval, gap and protocol, or NaN."""
    found = dict.fromkeys(("estimate", "low", "high", "gap", "protocol"), np.nan)
    rows = {} if table is None else _rows_of(table, cell).set_index("protocol").to_dict("index")
    if protocol in rows:
        row = rows[protocol]
        found |= {"estimate": row[score], "low": row["low"], "high": row["high"]}
        found["protocol"] = protocol
        if mixed in rows and "grouped" in rows:
            found["gap"] = rows[mixed][score] - rows["grouped"][score]
    return {edition if key == "estimate" else f"{edition}_{key}": x for key, x in found.items()}

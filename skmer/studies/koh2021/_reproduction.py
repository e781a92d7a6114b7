"""What a reproduction has found."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from skmer.studies.koh2021._clips import Holdings, class_counts
from skmer.studies.koh2021._editions import Effort
from skmer.studies.koh2021._embeddings import Feature
from skmer.studies.koh2021.pieces._maps import SingerMap
from skmer.utils._output_folder import check_output_folder


@dataclass
class Reproduction:
    """Everything that `reproduce_koh2021` has found.

    Attributes
    ----------
    holdings : object
        The datasets in place, and why the others are not.
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
        Which numbers of clips the printed reports can come from.
    computed : list of str
        The pieces that this run computed; the others were there from an earlier one.
    """

    holdings: Holdings
    effort: Effort
    seed: int
    features: dict[str, Feature] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    results: dict = field(default_factory=dict)
    regressions: dict = field(default_factory=dict)
    maps: dict[str, SingerMap] = field(default_factory=dict)
    audits: dict = field(default_factory=dict)
    reports: dict = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)

    @cached_property
    def class_counts(self) -> list[dict]:
        """The study's first table, and how many clips of each class are here."""
        return class_counts(self.holdings)

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        return {
            name: str(feature.weights_label)
            for name, feature in self.features.items()
            if feature.is_random
        }

    @cached_property
    def intervals(self) -> dict:
        """Accuracy with its interval, by dataset and edition."""
        return {key: result.intervals() for key, result in self.results.items()}

    @cached_property
    def r2_intervals(self) -> dict:
        """r2 with its interval, by feature and edition."""
        return {key: result.intervals() for key, result in self.regressions.items()}

    @cached_property
    def table(self):
        """The table 'published / faithful / defensible'.

        Columns dataset, feature, classifier, target, score, published, and for each edition the
        estimate, low, high, gap (random minus grouped) and the protocol of the headline.
        """
        import pandas as pd

        from skmer.studies.koh2021._table import accuracy_rows, regression_rows

        return pd.DataFrame([*accuracy_rows(self.intervals), *regression_rows(self.r2_intervals)])

    @cached_property
    def claims(self) -> list:
        """The claims of the study, each with a verdict for the editions that it concerns."""
        from skmer.studies.koh2021.claims._claims import judge_claims

        return judge_claims(self)

    def cell(self, row: dict, edition: str) -> dict:
        """Return estimate, low and high of the accuracy of one cell."""
        keys = {name: row[name] for name in ("dataset", "feature", "classifier")}
        return self._found(keys | {"score": "accuracy"}, edition)

    def r2(self, feature: str, target: str, edition: str) -> dict:
        """Return estimate, low and high of the r2 of one target."""
        return self._found({"feature": feature, "target": target, "score": "r2"}, edition)

    def _found(self, keys: dict, edition: str) -> dict:
        table = self.table
        for name, value in keys.items():
            table = table[table[name] == value]
        row = table.iloc[0]
        return {
            "estimate": float(row[edition]),
            "low": float(row[f"{edition}_low"]),
            "high": float(row[f"{edition}_high"]),
        }

    def save(self, folder) -> Path:
        """Write table.csv, claims.csv and report.html.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.
        """
        import pandas as pd

        from skmer.studies.koh2021.report._page import render_page

        folder = check_output_folder(folder)
        self.table.to_csv(folder / "table.csv", index=False)
        claims = [
            (claim.text, claim.origin, edition, verdict.state, verdict.reason)
            for claim in self.claims
            for edition, verdict in claim.verdicts.items()
        ]
        columns = ["claim", "origin", "edition", "verdict", "reason"]
        pd.DataFrame(claims, columns=columns).to_csv(folder / "claims.csv", index=False)
        (folder / "report.html").write_text(render_page(self), encoding="utf-8")
        return folder

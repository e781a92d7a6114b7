"""What a reproduction has found, before anything is said of the study's claims."""

from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from skmer.studies.koh2021._datasets import StudyDatasets, class_counts
from skmer.studies.koh2021._editions import Budget
from skmer.studies.koh2021._features import Feature
from skmer.studies.koh2021._table import accuracy_rows, regression_rows
from skmer.studies.koh2021.pieces._maps import SingerMap


@dataclass
class Findings:
    """Results of every piece; the attributes are described at `Reproduction`."""

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

    @cached_property
    def class_counts(self) -> list[dict]:
        """The study's first table, and how many clips of each class are here."""
        return class_counts(self.datasets)

    @property
    def random_features(self) -> dict[str, str]:
        """Labels of the weights of networks that were never trained."""
        return {
            name: str(feature.weights_label)
            for name, feature in self.features.items()
            if feature.is_random
        }

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
        return pd.DataFrame([*accuracy_rows(self.intervals), *regression_rows(self.r2_intervals)])

    def accuracy_of(self, row: dict, edition: str) -> dict[str, float]:
        """Return estimate, low and high of the accuracy of one cell."""
        keys = {name: row[name] for name in ("dataset", "feature", "classifier")}
        return self._estimate(keys | {"score": "accuracy"}, edition)

    def r2_of(self, feature: str, target: str, edition: str) -> dict[str, float]:
        """Return estimate, low and high of the r2 of one target."""
        return self._estimate({"feature": feature, "target": target, "score": "r2"}, edition)

    def _estimate(self, keys: dict, edition: str) -> dict[str, float]:
        table = self.table
        for name, value in keys.items():
            table = table[table[name] == value]
        row = table.iloc[0]
        columns = {"estimate": edition, "low": f"{edition}_low", "high": f"{edition}_high"}
        return {name: float(row[column]) for name, column in columns.items()}

"""What every part of a report looks at: the configurations under the protocol that counts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmer.evaluation.report._words import name_of
from skmer.evaluation.results import BaseResult


@dataclass(frozen=True)
class Overview:
    """A result, its intervals, and the protocol that its headline is about."""

    result: BaseResult

    @cached_property
    def protocol(self) -> str:
        """The first protocol that keeps groups apart, else the first of all."""
        ran = self.result.manifest["protocols"]
        return next(
            (name for name, one in ran.items() if one["groups_kept_apart"]), next(iter(ran))
        )

    @property
    def groups_apart(self) -> bool:
        """Whether the headline is about groups that no model was trained on."""
        return bool(self.result.manifest["protocols"][self.protocol]["groups_kept_apart"])

    @cached_property
    def random(self) -> dict[str, str]:
        """The features whose network was never trained."""
        return self.result.random_features()

    @cached_property
    def intervals(self):
        """The headline score of each configuration and protocol, with its interval and name."""
        table = self.result.intervals()
        return table.assign(
            name=[self.name(row) for row in table.to_dict("records")],
            apart=table["protocol"].map(
                {
                    name: bool(one["groups_kept_apart"])
                    for name, one in self.result.manifest["protocols"].items()
                }
            ),
        )

    @cached_property
    def ranked(self):
        """The intervals under the protocol of the headline, best first."""
        table = self.intervals[self.intervals["protocol"] == self.protocol]
        return table.sort_values(self.headline, ascending=False, kind="stable")

    @property
    def headline(self) -> str:
        """The name of the headline score."""
        return self.result.metrics[0]

    def name(self, row) -> str:
        """Return the name of a configuration for people."""
        feature, *rest = (row[key] for key in self.result.configuration)
        target = f", {rest[1]}" if len(rest) > 1 else ""
        return f"{name_of(feature, self.random)} + {name_of(rest[0])}{target}"

    @cached_property
    def chance(self) -> float | None:
        """The headline score of the best guess that looks at no clip; None for the unknown."""
        if not self.result.has_classes:
            return 0.0 if self.headline == "r2" else None
        if self.headline not in ("accuracy", "balanced_accuracy"):
            return None
        counts = np.array(list(self.result.manifest["dataset"]["classes"].values()))
        if self.headline == "balanced_accuracy":
            return 1 / counts.size
        return float(counts.max() / counts.sum())

    @cached_property
    def comparison(self):
        """The paired tests under the protocol of the headline; None for a single split."""
        several = len(self.result.manifest["protocols"][self.protocol]["splits"]) > 1
        several = several and len(self.ranked) > 1
        return self.result.compare(protocol=self.protocol) if several else None

    def pvalue(self, first, second) -> float | None:
        """Return the p-value of two configurations, corrected for the number of pairs."""
        if self.comparison is None:
            return None
        for row in self.comparison.to_dict("records"):
            pair = [
                tuple(row[f"{key}_{side}"] for key in self.result.configuration) for side in (1, 2)
            ]
            wanted = [
                tuple(one[key] for key in self.result.configuration) for one in (first, second)
            ]
            if sorted(pair) == sorted(wanted):
                return float(row["pvalue_holm"])
        return None

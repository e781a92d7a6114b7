"""A result as its report shows it: the protocol of the headline, intervals, comparisons."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skmer.evaluation.report.words import make_headline, name_of

if TYPE_CHECKING:
    from skmer.evaluation.result import EvaluationResult


@dataclass(frozen=True)
class Overview:
    """A result, its intervals, and the protocol that its headline is about."""

    result: "EvaluationResult"

    @cached_property
    def protocol(self) -> str:
        """The protocol across datasets, else the first that keeps groups apart, else the first."""
        return self.ways[0][1] if self.ways else self.apart_first(self.result.manifest["protocols"])

    @cached_property
    def ways(self) -> list[tuple[list[str], str, str]]:
        """The datasets fitted and tested, and the protocols across them and within the first."""
        ran = self.result.manifest["protocols"].items()
        across = [(one["across"], name) for name, one in ran if "across" in one]
        within = [name for name, one in ran if "across" not in one]
        return [
            (pair, name, self.apart_first(one for one in within if one.endswith("_back") == way))
            for way, (pair, name) in enumerate(across)
        ]

    def apart_first(self, names) -> str:
        """Return the first of some protocols that keeps groups apart, else the first of them."""
        listed, ran = list(names), self.result.manifest["protocols"]
        return next((name for name in listed if ran[name]["groups_kept_apart"]), listed[0])

    @property
    def dataset(self) -> dict:
        """What the manifest has about the dataset of the tested clips."""
        return self.result.manifest["dataset_test" if self.ways else "dataset"]

    @property
    def splits(self) -> dict:
        """What the manifest has about the protocol of the headline."""
        return self.result.manifest["protocols"][self.protocol]

    @property
    def artists(self) -> str | None:
        """Artists of the tested clips: "unseen", "seen" in training, "some" of them, or None."""
        if "n_groups" not in self.dataset or self.splits["groups_kept_apart"] is None:
            return None
        seen = "some" if self.ways else "seen"
        return "unseen" if self.splits["groups_kept_apart"] else seen

    @property
    def unit(self) -> str:
        """What intervals are drawn from and comparisons exchange: "group" or "clip"."""
        return "group" if "n_groups" in self.dataset else "clip"

    @cached_property
    def random(self) -> dict[str, str]:
        """The features whose network was never trained."""
        return self.result.random_features()

    @cached_property
    def predictions(self):
        """The predictions under the protocol of the headline."""
        predictions = self.result.predictions
        return predictions[predictions["protocol"] == self.protocol]

    @cached_property
    def intervals(self):
        """The headline score of each configuration and protocol, with its interval and name."""
        table = self.result.intervals()
        protocols = self.result.manifest["protocols"]
        return table.assign(
            name=[self.name(row) for row in table.to_dict("records")],
            apart=[bool(protocols[name]["groups_kept_apart"]) for name in table["protocol"]],
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
        return self.model_name(row) + (f", {row['target']}" if "target" in row else "")

    def model_name(self, row) -> str:
        """Return the name of a configuration without its target."""
        feature, model = (row[key] for key in self.result.configuration[:2])
        return f"{name_of(feature, self.random)} + {name_of(model)}"

    @cached_property
    def chance(self) -> float | None:
        """The headline score of the best guess that looks at no clip; None for the unknown."""
        return self.result.task.guess(self.dataset, self.headline, self.predictions)

    def rows_of(self, configuration, table=None):
        """Return the rows of a configuration in a table, by default in `predictions`."""
        rows = self.predictions if table is None else table
        for key in self.result.configuration:
            rows = rows[rows[key] == configuration[key]]
        return rows

    def row_of(self, configuration, protocol: str):
        """Return the interval of a configuration under another protocol."""
        table = self.intervals[self.intervals["protocol"] == protocol]
        return self.rows_of(configuration, table).iloc[0]

    @cached_property
    def best(self) -> dict:
        """The row of the best configuration, by target; None is the only one of labels and tags."""
        if "target" not in self.result.configuration:
            return {None: self.ranked.iloc[0]}
        return {target: rows.iloc[0] for target, rows in self.ranked.groupby("target", sort=False)}

    @cached_property
    def clips(self) -> dict[int, dict[str, str]]:
        """The name and group of each clip by its row, and the address that a browser opens."""
        found = {}
        for clip in self.result.predictions.drop_duplicates("row").to_dict("records"):
            row, path = clip["row"], clip.get("path")
            address = Path(path).resolve().as_uri() if path and isinstance(path, str) else ""
            name = Path(path).name if path else f"clip {row}"
            group = str(clip.get("group", ""))
            found[int(row)] = {"name": name, "address": address, "group": group}
        return found

    @cached_property
    def comparison(self):
        """The tests of configurations under the protocol of the headline; None where none can be.

        Scores of a single split have no spread to test by, unless all predictions are pooled.
        """
        several = self.result.is_pooled or len(self.splits["splits"]) > 1
        table = self.result.compare(protocol=self.protocol) if several else ()
        return table if len(table) else None

    @cached_property
    def features(self):
        """The comparison of the features over all models, empty where there is none to make."""
        return self._compare(self.result.compare_features)

    @cached_property
    def models(self):
        """The comparison of the models over all features, empty where there is none to make."""
        return self._compare(self.result.compare_classifiers)

    def _compare(self, compare):
        return compare(protocol=self.protocol) if self.result.compares_by_group else ()


def headline_of(result: "EvaluationResult") -> str:
    """Return in one sentence what an evaluation found.

    Parameters
    ----------
    result : EvaluationResult or RegressionResult
        What was evaluated.

    Returns
    -------
    headline : str
        What the best configuration does, within which bounds, and against what.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> from skmer.evaluation.report.overview import headline_of
    >>> y = np.tile(["calm", "sad"], 20)
    >>> result = evaluate(
    ...     {"mine": np.eye(2)[(y == "sad") * 1]}, {"nb": GaussianNB()}, None, y,
    ...     groups=np.repeat(np.arange(10), 4),
    ... )
    >>> headline_of(result)[:60]
    "The best, mine + NB, names the emotion of an unseen artist's"
    """
    return make_headline(Overview(result))

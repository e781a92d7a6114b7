"""What the results of classification and regression have in common."""

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from skmer.evaluation.results._files import to_json
from skmer.evaluation.statistics._intervals import TotalsScore, bootstrap_interval
from skmer.exceptions import InputError
from skmer.utils._output_folder import check_output_folder

# What `compare` tells of each test.
COMPARED = ("difference", "low", "high", "statistic", "pvalue")


class BaseResult:
    """Scores and predictions of every configuration, split by split, and what they rest on."""

    # Columns that tell configurations apart, and the scores, the headline first.
    configuration: tuple[str, ...]
    metrics: tuple[str, ...]
    has_classes: bool

    # Given by the package above, so that a result does not know its report.
    report: Callable[..., Path]

    # The headline score, in the form that its interval is computed from.
    headline_score: TotalsScore

    def __init__(self, scores, predictions, manifest: dict):
        self.scores = scores
        self.predictions = predictions
        self.manifest = manifest

    def __repr__(self) -> str:
        n_configurations = len(self.scores.groupby(list(self.configuration)))
        return (
            f"{type(self).__name__}({n_configurations} configurations, "
            f"protocols {', '.join(self.manifest['protocols'])}, {len(self.scores)} scores)"
        )

    def summary(self):
        """Mean and spread of each score over the splits.

        Returns
        -------
        summary : pandas.DataFrame
            One row per configuration and protocol. For each score its mean and, as ``*_std``, the
            standard deviation over splits (which share training clips, so that it is no standard
            error). Where a protocol that keeps groups apart and one that does not were both run,
            ``gap`` is the mean headline score of the latter minus that of the former.
        """
        keys = [*self.configuration, "protocol"]
        grouped = self.scores.groupby(keys, sort=False)
        summary = grouped[list(self.metrics)].mean()
        spread = grouped[list(self.metrics)].std()
        summary.insert(0, "n_splits", grouped.size())
        summary.insert(0, "weights", grouped["weights"].first())
        for metric in self.metrics:
            at = summary.columns.get_loc(metric) + 1
            summary.insert(at, f"{metric}_std", spread[metric])
        summary = summary.reset_index()
        pair = self.protocols_to_compare()
        return summary if pair is None else self._with_gap(summary, *pair)

    def intervals(self, *, n_resamples: int = 2000):
        """Bootstrap an interval of the headline score from the out-of-fold predictions.

        Whole groups are drawn where groups were given, whole clips otherwise, so that a clip
        tested in several repeats counts as one; see `cluster_bootstrap`.

        Parameters
        ----------
        n_resamples : int, default=2000
            Draws of the bootstrap.

        Returns
        -------
        intervals : pandas.DataFrame
            One row per configuration and protocol: the headline score of all predictions together,
            and the ends ``low`` and ``high`` of its 95 % interval, NaN for a single group.
        """
        import pandas as pd

        keys = [*self.configuration, "protocol"]
        rows = []
        for key, part in self.predictions.groupby(keys, sort=False):
            estimate, low, high = bootstrap_interval(
                self.headline_score,
                part["y_true"].to_numpy(),
                part["y_pred"].to_numpy(),
                part["group" if "group" in part else "row"].to_numpy(),
                n_resamples=n_resamples,
                random_state=self.manifest["settings"]["random_state"],
            )
            rows.append(
                dict(zip(keys, key)) | {self.metrics[0]: estimate, "low": low, "high": high}
            )
        return pd.DataFrame(rows)

    def random_features(self) -> dict[str, str]:
        """Return the features whose network was never trained.

        Returns
        -------
        labels : dict of str to str
            The label of the weights, such as "random (seed 0)", by feature.
        """
        labels = {name: one["weights"] or "" for name, one in self.manifest["features"].items()}
        return {name: label for name, label in labels.items() if label.startswith("random")}

    def protocols_to_compare(self) -> tuple[str, str] | None:
        """Return a protocol that splits groups and one that keeps them apart, if both ran.

        Returns
        -------
        names : tuple of two str, or None
            Their gap is what the groups give away.
        """
        ran = self.manifest["protocols"].items()
        apart = {name: protocol["groups_kept_apart"] for name, protocol in ran}
        mixed = [name for name, kept in apart.items() if kept is False]
        kept = [name for name, kept in apart.items() if kept]
        return (mixed[0], kept[0]) if mixed and kept else None

    def _with_gap(self, summary, mixed: str, kept: str):
        headline = self.metrics[0]
        means = summary.pivot_table(
            index=list(self.configuration), columns="protocol", values=headline
        )
        gap = (means[mixed] - means[kept]).rename("gap").reset_index()
        return summary.merge(gap, on=list(self.configuration), how="left")

    def compare(self, metric: str | None = None, *, protocol: str | None = None):
        """Compare every two configurations on the splits that they share.

        Parameters
        ----------
        metric : str, default=None
            A score; None = the headline.
        protocol : str, default=None
            A protocol that was run; None = each of them.

        Returns
        -------
        comparison : pandas.DataFrame
            One row per protocol and pair: mean difference (first minus second), its 95 % interval,
            statistic and p-value by the corrected resampled t-test, and the p-value after Holm's
            correction over the pairs of the protocol.

        Raises
        ------
        ValueError
            For a score or a protocol that is not there, or a protocol with a single split.

        References
        ----------
        Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning,
        52, 239-281.
        """
        import pandas as pd

        metric = self.metrics[0] if metric is None else metric
        if metric not in self.metrics:
            raise InputError(
                f"The 'metric' parameter of compare must be one of {', '.join(self.metrics)}. "
                f"Got {metric!r} instead."
            )
        ran = list(self.manifest["protocols"])
        if protocol is not None and protocol not in ran:
            raise InputError(
                f"The 'protocol' parameter of compare must be one of {', '.join(ran)}. "
                f"Got {protocol!r} instead."
            )
        names = ran if protocol is None else [protocol]
        return pd.concat([self._compare(metric, name) for name in names], ignore_index=True)

    def _compare(self, metric: str, protocol: str):
        import pandas as pd

        from skmer.evaluation.statistics._holm import holm
        from skmer.evaluation.statistics._ttest import corrected_resampled_ttest

        scores = self.scores[self.scores["protocol"] == protocol]
        table = scores.pivot_table(
            index=["repeat", "fold"],
            columns=list(self.configuration),
            values=[metric, "n_train", "n_test"],
            sort=False,
        )
        if len(table) < 2:
            raise InputError(
                f"The {protocol!r} protocol has one split only, and a paired test needs several; "
                "see the intervals instead."
            )
        rows = []
        for pair in combinations(table[metric].columns, 2):
            # Each pair by its own sizes, whatever else was evaluated.
            scores_of_pair, n_train, n_test = (
                table[column][list(pair)].to_numpy().T for column in (metric, "n_train", "n_test")
            )
            test = corrected_resampled_ttest(*scores_of_pair, n_train=n_train, n_test=n_test)
            first, second = pair
            row = {"protocol": protocol, "metric": metric}
            row |= {f"{key}_1": value for key, value in zip(self.configuration, first)}
            row |= {f"{key}_2": value for key, value in zip(self.configuration, second)}
            rows.append(row | {name: getattr(test, name) for name in COMPARED})
        comparison = pd.DataFrame(rows)
        if rows:
            comparison["pvalue_holm"] = holm(comparison["pvalue"].to_numpy())
        return comparison

    def save(self, folder) -> Path:
        """Write scores.csv, predictions.csv, manifest.json and report.html.

        Parameters
        ----------
        folder : path-like
            Made where it does not exist; files of these names in it are replaced.

        Returns
        -------
        folder : pathlib.Path
            Where they were written.

        Raises
        ------
        OSError
            When the folder cannot be made or written into.
        """
        folder = check_output_folder(folder)
        self.scores.to_csv(folder / "scores.csv", index=False)
        self.predictions.to_csv(folder / "predictions.csv", index=False)
        (folder / "manifest.json").write_text(to_json(self.manifest), encoding="utf-8")
        self.report(folder / "report.html")
        return folder

    @classmethod
    def load(cls, folder):
        """Read back what `save` wrote.

        Parameters
        ----------
        folder : path-like
            Where it was written.

        Returns
        -------
        result : EvaluationResult or RegressionResult
            With the same scores, predictions and manifest.
        """
        import pandas as pd

        folder = Path(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        # Labels such as "NA" or "1" stay what they were.
        text = {"y_true": str, "y_pred": str} if manifest["settings"]["labels_are_text"] else {}
        predictions = pd.read_csv(
            folder / "predictions.csv", dtype=text, keep_default_na=False, na_values={}
        )
        return cls(pd.read_csv(folder / "scores.csv"), predictions, manifest)

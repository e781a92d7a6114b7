"""The table at the end of a run, for a terminal."""

from skmer.evaluation.results._base import BaseResult


def format_summary(result: BaseResult):
    """Lay out the summary of a result as a table for the terminal.

    Parameters
    ----------
    result : EvaluationResult or RegressionResult
        What was evaluated.

    Returns
    -------
    table : rich.table.Table
        One row per configuration, with the mean and the standard deviation of the headline score
        under each protocol, and the gap between random and held-out groups where both were run. A
        feature whose network was never trained is marked "random weights".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skmer.evaluation import evaluate
    >>> from skmer.evaluation.report import format_summary
    >>> y = np.tile(["calm", "sad"], 20)
    >>> result = evaluate(
    ...     {"mine": np.eye(2)[(y == "sad") * 1]}, {"nb": GaussianNB()}, None, y, protocol="koh2021"
    ... )
    >>> [column.header for column in format_summary(result).columns]
    ['feature', 'classifier', 'koh2021']
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    headline = result.metrics[0]
    summary = result.summary()
    random = result.random_features()
    protocols = list(summary["protocol"].unique())
    table = Table(title=_title(result), box=SIMPLE_HEAD)
    table.caption = "mean ± standard deviation over splits"
    for name in result.configuration:
        table.add_column(name)
    for protocol in protocols:
        table.add_column(protocol, justify="right", no_wrap=True)
    pair = result.protocols_to_compare()
    if pair:
        table.add_column("gap", justify="right", no_wrap=True)
        table.caption += f"; gap = {' - '.join(pair)}"
    for key, rows in summary.groupby(list(result.configuration), sort=False):
        feature, *rest = key
        cells = [f"{feature} (random weights)" if feature in random else feature, *rest]
        by_protocol = rows.set_index("protocol")
        for protocol in protocols:
            row = by_protocol.loc[protocol]
            cells.append(_with_spread(row[headline], row[f"{headline}_std"]))
        if pair:
            cells.append(f"{by_protocol['gap'].iloc[0]:+.3f}")
        table.add_row(*cells)
    return table


def _title(result: BaseResult) -> str:
    dataset, preset = result.manifest["dataset"], result.manifest["settings"]["preset"]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    return f"{result.metrics[0]}, {dataset['n_clips']} clips{groups}, preset {preset}"


def _with_spread(mean: float, spread: float) -> str:
    """Write mean and spread; a single split has no spread."""
    return f"{mean:.3f}" if spread != spread else f"{mean:.3f} ± {spread:.3f}"

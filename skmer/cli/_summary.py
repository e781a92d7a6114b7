"""What a person reads at the end of an evaluation."""

from skmer.cli import _terminal

_OVER_SPLITS = "Mean ± standard deviation over splits"


def show_summary(result) -> None:
    """Write one row a configuration: the headline score under each protocol, and their gap."""
    from skmer.evaluation.report import headline_of

    headline = result.metrics[0]
    summary = result.summary()
    random = result.random_features()
    protocols = list(summary["protocol"].unique())
    pair = result.protocols_to_compare()
    rows = []
    for (feature, *rest), scores in summary.groupby(list(result.configuration), sort=False):
        by_protocol = scores.set_index("protocol")
        row = [f"{feature} (random weights)" if feature in random else feature, *rest]
        for protocol in protocols:
            score = by_protocol.loc[protocol]
            spread = float("nan") if result.is_pooled else score[f"{headline}_std"]
            row.append(_with_spread(score[headline], spread))
        rows.append([*row, f"{by_protocol['gap'].iloc[0]:+.3f}"] if pair else row)
    _terminal.say(_title(result))
    headers = [*result.configuration, *protocols, *(["gap"] if pair else [])]
    _terminal.show_table(headers, rows)
    gap = f"; gap = {' - '.join(pair)}" if pair else ""
    what = "All out-of-fold predictions together" if result.is_pooled else _OVER_SPLITS
    _terminal.say(f"{what}{gap}.")
    _terminal.say(headline_of(result))


def say_findings(manifest: dict) -> None:
    """Tell of the leaks that the audit calls errors, which the scores cannot be trusted with."""
    for name, report in (manifest["audit"] or {}).items():
        for finding in report["findings"]:
            if finding["severity"] == "error":
                _terminal.warn(f"warning: the audit of {name} found: {finding['message']}")


def _title(result) -> str:
    dataset, preset = result.manifest["dataset"], result.manifest["settings"]["preset"]
    groups = f" of {dataset['n_groups']} groups" if "n_groups" in dataset else ""
    return f"{result.metrics[0]}, {dataset['n_clips']} clips{groups}, preset {preset}"


def _with_spread(mean: float, spread: float) -> str:
    """Write mean and spread; a single split has no spread."""
    return f"{mean:.3f}" if spread != spread else f"{mean:.3f} ± {spread:.3f}"

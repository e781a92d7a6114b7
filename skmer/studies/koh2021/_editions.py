"""The two editions of the study, and how much of each is computed."""

from dataclasses import dataclass, field, fields

from skmer.utils._types import Preset


@dataclass(frozen=True)
class Edition:
    """One reading of the study: its settings, its clips, and the protocol of its headline."""

    name: str
    preset: Preset
    protocol: str
    ravdess_subset: str


FAITHFUL = Edition("faithful", "koh2021", "koh2021", "koh2021")
DEFENSIBLE = Edition("defensible", "tuned", "grouped", "all")
EDITIONS = (FAITHFUL, DEFENSIBLE)


def _setting(text: str, default):
    return field(default=default, metadata={"meaning": text})


@dataclass(frozen=True)
class Budget:
    """How much is computed; the defaults are the study's."""

    n_shuffles: int = _setting("random 80/10/10 splits of every cell", 20)
    n_draws: int = _setting("draws of the 5 folds with groups kept apart, in every cell", 4)
    max_epochs: int = _setting("epochs at most of MLP, CNN and LSTM", 1000)
    patience: int = _setting(
        "epochs without improvement before CNN, LSTM and the tuned MLP stop", 100
    )
    l3_hops: tuple[float, float] = _setting("seconds from frame to frame of L3-Net", (0.1, 0.5))
    matrix: tuple[int, float] = _setting(
        "frames, and milliseconds from frame to frame, of the MFCC matrix for CNN and LSTM",
        (1500, 20.0),
    )
    n_regression_folds: int = _setting("folds of the regression", 10)
    perplexities: tuple[int, ...] = _setting("perplexities of t-SNE", (5, 10, 20, 30, 50, 75, 100))


FULL = Budget()
QUICK = Budget(
    n_shuffles=3,
    n_draws=1,
    max_epochs=30,
    patience=10,
    l3_hops=(1.0, 1.0),
    matrix=(100, 300.0),
    n_regression_folds=5,
    perplexities=(10, 30, 100),
)


def describe_reductions(budget: Budget) -> list[str]:
    """Say in words what a budget changes of the study's."""
    return [
        f"{_in_words(getattr(budget, setting.name))} instead of {_in_words(setting.default)} "
        f"{setting.metadata['meaning']}"
        for setting in fields(Budget)
        if getattr(budget, setting.name) != setting.default
    ]


def _in_words(value) -> str:
    return (
        ", ".join(f"{number:g}" for number in value) if isinstance(value, tuple) else f"{value:g}"
    )

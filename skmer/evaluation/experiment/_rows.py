"""The rows that models are fitted on: clips, or moments of clips."""

from dataclasses import dataclass, field, replace

import numpy as np

from skmer.evaluation.experiment._protocols import Split


@dataclass(frozen=True)
class Rows:
    """The clip of each row, and for each row its targets and further columns of predictions."""

    clip: np.ndarray
    targets: dict[str, np.ndarray]
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def are_moments(self) -> bool:
        """Whether a clip has several rows, or is one of several clips that has none."""
        return not np.array_equal(self.clip, np.arange(self.clip.size))

    def of_clips(self, kept: np.ndarray) -> "Rows":
        """Return the rows of some clips, which are numbered anew."""
        chosen = kept[self.clip]
        return Rows(
            (np.cumsum(kept) - 1)[self.clip[chosen]],
            {name: values[chosen] for name, values in self.targets.items()},
            {name: values[chosen] for name, values in self.columns.items()},
        )

    def split(self, split: Split) -> Split:
        """Return the split of rows that a split of clips makes."""
        if not self.are_moments:
            return split

        def rows_of(clips):
            return np.flatnonzero(np.isin(self.clip, clips))

        return replace(
            split,
            train=rows_of(split.train),
            validation=rows_of(split.validation),
            test=rows_of(split.test),
        )

    def mean_by_clip(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each clip's rows."""
        if not self.are_moments:
            return values
        starts = np.flatnonzero(np.diff(self.clip, prepend=-1))
        counts = np.bincount(self.clip).reshape(-1, *[1] * (values.ndim - 1))
        return np.add.reduceat(values, starts, axis=0) / counts

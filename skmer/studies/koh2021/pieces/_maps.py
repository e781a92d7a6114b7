"""The study's map of RAVDESS, and what its neighbourhoods are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from skmer.evaluation.experiment import VECTOR
from skmer.evaluation.statistics import tsne_map, tsne_purity
from skmer.studies.koh2021._context import RunContext
from skmer.studies.koh2021._features import Feature, describe_view
from skmer.studies.koh2021._published import published


@dataclass(frozen=True)
class SingerMap:
    """One map, its labels, and the purity of each label over perplexities."""

    feature: Feature
    perplexity: int
    points: np.ndarray
    labels: dict[str, np.ndarray]
    purity: Any

    def purity_of(self, label: str) -> tuple[float, float]:
        """Return purity of a label in the map itself, and by chance."""
        table = self.purity
        row = table[(table["label"] == label) & (table["perplexity"] == self.perplexity)].iloc[0]
        return float(row["purity"]), float(row["chance"])

    def purity_range(self, label: str) -> tuple[float, float]:
        """Return the lowest and the highest purity of a label over perplexities."""
        values = self.purity.loc[self.purity["label"] == label, "purity"]
        return float(values.min()), float(values.max())


def map_singers(feature: Feature, clips, context: RunContext) -> SingerMap | None:
    """Map the clips of RAVDESS by one feature; None for fewer clips than its perplexity needs."""
    import pandas as pd

    perplexity = published()["map"]["perplexity"]
    if len(clips.data) <= perplexity:
        return None
    perplexities = [value for value in context.budget.perplexities if value < len(clips.data)]
    labels = {
        name: clips.frame[column].to_numpy()
        for name, column in (("emotion", "emotion"), ("singer", "actor"), ("sex", "sex"))
    }
    settings = {
        "clips": clips.digest,
        "feature": describe_view(feature, VECTOR, context.budget),
        "perplexities": sorted({*perplexities, perplexity}),
        "seed": context.seed,
    }

    def compute() -> dict:
        scaled = StandardScaler().fit_transform(context.extractor(feature, VECTOR, clips))
        return {
            "purity": tsne_purity(
                scaled, labels, settings["perplexities"], random_state=context.seed
            ).to_dict("list"),
            "points": tsne_map(scaled, perplexity=perplexity, random_state=context.seed).tolist(),
        }

    facts = context.store.facts(f"ravdess-song-map-{feature.name}", settings, compute)
    purity = pd.DataFrame(facts["purity"])
    return SingerMap(feature, perplexity, np.array(facts["points"]), labels, purity)

"""The study's map of RAVDESS, and what its neighbourhoods are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from skmer.evaluation.experiment._features import VECTOR
from skmer.evaluation.statistics._purity import tsne_map, tsne_purity
from skmer.studies.koh2021._clips import clips_digest
from skmer.studies.koh2021._embeddings import Feature, describe_view
from skmer.studies.koh2021._published import published
from skmer.studies.koh2021._run import Run


@dataclass(frozen=True)
class SingerMap:
    """One map, its labels, and the purity of each label over perplexities."""

    feature: Feature
    perplexity: int
    points: np.ndarray
    labels: dict[str, np.ndarray]
    purity: Any

    def at(self, label: str) -> tuple[float, float]:
        """Return purity of a label in the map itself, and by chance."""
        table = self.purity
        row = table[(table["label"] == label) & (table["perplexity"] == self.perplexity)].iloc[0]
        return float(row["purity"]), float(row["chance"])

    def spread(self, label: str) -> tuple[float, float]:
        """Return the lowest and the highest purity of a label over perplexities."""
        values = self.purity.loc[self.purity["label"] == label, "purity"]
        return float(values.min()), float(values.max())


def map_singers(feature: Feature, clips, run: Run) -> SingerMap | None:
    """Map the clips of RAVDESS by one feature; None for fewer clips than its perplexity needs."""
    import pandas as pd

    perplexity = published()["map"]["perplexity"]
    if len(clips.data) <= perplexity:
        return None
    perplexities = [value for value in run.effort.perplexities if value < len(clips.data)]
    labels = {
        name: clips.frame[column].to_numpy()
        for name, column in (("emotion", "emotion"), ("singer", "actor"), ("sex", "sex"))
    }
    settings = {
        "clips": clips_digest(clips),
        "feature": describe_view(feature, VECTOR, run.effort),
        "perplexities": sorted({*perplexities, perplexity}),
        "seed": run.seed,
    }

    def compute() -> dict:
        scaled = StandardScaler().fit_transform(run.extractor(feature, VECTOR, clips))
        return {
            "purity": tsne_purity(
                scaled, labels, settings["perplexities"], random_state=run.seed
            ).to_dict("list"),
            "points": tsne_map(scaled, perplexity=perplexity, random_state=run.seed).tolist(),
        }

    facts = run.store.facts(f"ravdess-song-map-{feature.name}", settings, compute)
    purity = pd.DataFrame(facts["purity"])
    return SingerMap(feature, perplexity, np.array(facts["points"]), labels, purity)

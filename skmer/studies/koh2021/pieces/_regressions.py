"""Arousal and valence of Emotion in Music, from embeddings and from published features."""

from pathlib import Path

import joblib
import numpy as np

from skmer.datasets import get_data_home
from skmer.evaluation import FixedSplit, RegressionResult, evaluate_regression
from skmer.evaluation.experiment import VECTOR, regression_protocols
from skmer.exceptions import InputError
from skmer.studies.koh2021._context import RunContext
from skmer.studies.koh2021._features import Feature, describe_view

CHOI = "choi2017"
REGRESSOR = "svr"
_LAYERS = tuple(f"emoMusic_layer_{i}.npy" for i in range(5))


def find_published_features(data_home, annotations) -> np.ndarray | None:
    """Return the features of Choi et al. (2017), a row for each annotated song, where they are."""
    import pandas as pd

    folder = Path(get_data_home(data_home), CHOI)
    if annotations is None or not all((folder / name).is_file() for name in _LAYERS):
        return None
    songs = pd.read_csv(folder / "emoMusic.csv")["id"]
    layers = np.concatenate([np.load(folder / name) for name in _LAYERS], axis=1)
    places = pd.Index(songs.astype(int)).get_indexer(annotations.frame["song_id"].astype(int))
    if len(layers) != len(songs) or (places < 0).any():
        raise InputError(
            f"The features in {folder} must have a row for each of the {len(annotations.frame)} "
            f"songs of Emotion in Music. Got {len(layers)} rows and {len(songs)} songs."
        )
    return layers[places]


def regress(
    dataset,
    feature: Feature | np.ndarray,
    *,
    name: str,
    context: RunContext,
) -> RegressionResult:
    """Predict both labels with one feature, under random, artist-grouped and published splits."""
    frame, budget = dataset.frame, context.budget
    targets = {
        f"{label} {axis}": frame[f"{label}_{axis}"].to_numpy()
        for label in ("static", "dynamic")
        for axis in ("arousal", "valence")
    }
    known = regression_protocols(budget.n_regression_folds, 1)
    protocols = {key: known[key](context.seed) for key in ("shuffled", "grouped")}
    parts = frame["split"].to_numpy(dtype=str)
    if {"train", "test"} <= set(parts):
        protocols["fixed"] = FixedSplit(parts)
    if isinstance(feature, Feature):
        described, label = describe_view(feature, VECTOR, budget), feature.weights_label
        is_random = feature.is_random
    else:
        described, label, is_random = {"array": joblib.hash(feature)}, None, False
    settings = {
        "clips": dataset.digest,
        "feature": described,
        "regressor": REGRESSOR,
        "protocols": {key: repr(splitter) for key, splitter in protocols.items()},
        "seed": context.seed,
    }

    def compute() -> RegressionResult:
        values = (
            context.extractor(feature, VECTOR, dataset) if isinstance(feature, Feature) else feature
        )
        result = evaluate_regression(
            {name: values},
            [REGRESSOR],
            None,
            targets,
            groups=dataset.groups,
            protocol=protocols,
            random_state=context.seed,
            n_jobs=context.n_jobs,
            audit=False,
            verbose=context.verbose,
        )
        result.scores["weights"] = label
        result.scores["random_weights"] = is_random
        result.manifest["features"][name] |= {"weights": label, "random_weights": is_random}
        return result

    return context.store.result(RegressionResult, f"emomusic-r2-{name}", settings, compute)

"""The pieces of the study, which a second run reads back: cells, audits, maps, regressions."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from skmer import evaluation
from skmer._version import __version__
from skmer.classifiers import make_classifier
from skmer.datasets import get_data_home
from skmer.evaluation.rounds import FitStore
from skmer.evaluation.statistics.purity import tsne_map, tsne_purity
from skmer.evaluation.tasks import CLASSIFICATION, REGRESSION
from skmer.exceptions import InputError
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021.consistency import check_report_consistency, consistent_sizes
from skmer.utils import cache, estimators, labels
from skmer.utils.store import to_json


class PieceStore(cache.ClipCache):
    """Keeps what is computed once, by the settings on which its numbers depend.

    Pieces are always converted to JSON and back, so that a first run goes on with the same numbers
    as a second one. A piece that was cut or changed since it was written is computed again.
    """

    subfolder, parameter = "facts", "out"

    def __init__(self, folder):
        super().__init__(folder)
        self.computed: list[str] = []

    def facts(self, name: str, settings: dict, compute) -> dict:
        """Return facts that JSON can hold, computed where they are not there yet."""
        entry = self.get_or_compute(
            _key(name, settings), lambda: (np.frombuffer(to_json(compute()).encode(), np.uint8), [])
        )
        self.computed += [name] if entry.is_new else []
        return json.loads(entry.array.tobytes())

    def has(self, name: str, settings: dict) -> bool:
        """Whether facts are there."""
        return self.get(_key(name, settings)) is not None


def _key(name: str, settings: dict) -> dict:
    return {"piece": name, "skmer": __version__, "settings": settings}


class RunContext(NamedTuple):
    """Where pieces are kept, how much is computed, and where random numbers come from."""

    store: PieceStore
    budget: study.Budget
    seed: int
    n_jobs: int | None
    verbose: bool

    def announce(self, text: str) -> None:
        """Print on standard error what is computed next."""
        from rich.console import Console

        Console(stderr=True, quiet=not self.verbose, highlight=False).print(text, markup=False)


def make_protocols(groups, budget: study.Budget, seed: int, n_rounds: int | None = None) -> dict:
    """Return the splitters of the first rounds of a cell; without groups none can be kept apart."""
    draws = {"koh2021": budget.n_shuffles} | ({} if groups is None else {"grouped": budget.n_draws})
    return {
        name: CLASSIFICATION.splitters(5, min(n, n_rounds or n))[name](seed)
        for name, n in draws.items()
    }


def make_model(classifier: str, preset: estimators.Preset, budget: study.Budget):
    """Return a classifier of the preset that trains no longer than the budget allows."""
    model = make_classifier(classifier, preset=preset)
    most = {"epochs": budget.max_epochs, "patience": budget.patience}
    for name, value in model.get_params().items():
        last = name.rsplit("__")[-1]
        if last in most and value is not None:
            model.set_params(**{name: min(value, most[last])})
    return model


def evaluate_cell(cell, edition: study.Edition, features: dict, clips, context, n_rounds: int):
    """Return the result of a classifier on a dataset with every feature, after some rounds."""
    budget, preset, classifier = context.budget, edition.preset, cell[-1]
    given = {
        feature: study.feature_of(transformer, classifier, edition, budget)
        for feature, transformer in features.items()
        if feature != study.LARGE or classifier == study.LARGE_CLASSIFIER
    }
    protocols = make_protocols(clips.groups, budget, context.seed, n_rounds)
    models = {classifier: make_model(classifier, preset, budget)}
    return _evaluate(
        "-".join(cell), context, given, models, clips.data, clips.target,
        groups=clips.groups, protocol=protocols, preset=preset,
    )  # fmt: skip


def _evaluate(name: str, context: RunContext, *given, **options):
    """Return the result of a piece, which goes on from its finished fits and keeps the others."""
    folder = context.store.folder.parent
    n_finished = len(FitStore(folder))
    options |= {"n_jobs": context.n_jobs, "verbose": context.verbose, "audit": False}
    result = evaluation.evaluate(*given, random_state=context.seed, checkpoint=folder, **options)
    if len(FitStore(folder)) > n_finished:
        context.store.computed.append(name)
    # It holds the features.
    result.experiment = None
    return result


def describe_rounds(features_of, classifiers, datasets, context: RunContext) -> dict:
    """Return all settings on which the rounds of all cells depend."""
    return {
        "features": {
            edition: {name: study.describe_feature(one) for name, one in features.items()}
            for edition, features in features_of.items()
        },
        "classifiers": list(classifiers),
        "clips": {"-".join(key): clips.digest for key, clips in datasets.clips.items()},
        "budget": asdict(context.budget),
        "seed": context.seed,
    }


def _settings(clips, context: RunContext, transformer, **settings) -> dict:
    """Return all settings on which a piece of one feature depends."""
    described = study.describe_feature(transformer)
    return {"clips": clips.digest, "seed": context.seed, "feature": described} | settings


def join_results(results: list, **marks) -> evaluation.EvaluationResult:
    """Put the cells of one dataset and edition together; they share their splits."""
    manifest = results[0].manifest | marks
    for key in ("features", "models"):
        # Others may get another view of a feature than the first classifier.
        together = {k: v for result in results for k, v in result.manifest[key].items()}
        manifest[key] = together | results[0].manifest[key]
    return evaluation.EvaluationResult(
        labels.stack_frames([result.scores for result in results]),
        labels.stack_frames([result.predictions for result in results]),
        manifest,
    )


# A tenth of each dataset, rounded down and up, and sizes beyond.
_TENTH = {"4q": (90,), "bimodal": (16, 17)}
_LARGEST = 300


def check_reports(context: RunContext) -> dict[str, dict]:
    """Return the numbers of test clips that each printed report can come from."""
    settings = {"reports": study.published()["reports"], "largest": _LARGEST}
    return context.store.facts("consistency", settings, _check_reports)


def _check_reports() -> dict[str, dict]:
    counts = study.published()["clips"]["counts"]
    found = {}
    for name, tenth in _TENTH.items():
        report = study.published()["reports"][name]
        sizes = consistent_sizes(**report, sizes=range(1, _LARGEST + 1))
        smallest = check_report_consistency(**report, n=sizes[0])
        n_all = sum(counts[name].values())
        found[name] = {
            "tenth": list(tenth),
            "tenth_possible": [size for size in tenth if size in sizes],
            "sizes": sizes,
            "largest_tried": _LARGEST,
            "fifth": n_all // 5,
            "fifth_possible": n_all // 5 in sizes,
            "supports": list(smallest.supports or ()),
        }
    return found


def audit_files(datasets: study.StudyDatasets, context: RunContext) -> dict:
    """Audit the files: copies within and across datasets."""
    clips = {name: datasets.clips[name, study.EDITIONS[-1].name] for name in datasets.names}
    paths = [str(path) for one in clips.values() for path in one.data]
    names = [name for name, one in clips.items() for _ in one.data]
    settings = {name: one.digest for name, one in clips.items()}
    several = names if len(clips) > 1 else None
    return context.store.facts(
        "audit-files",
        settings,
        lambda: evaluation.audit(paths=paths, datasets=several, n_jobs=context.n_jobs).to_dict(),
    )


def audit_labels(annotations, context: RunContext) -> dict:
    """Audit the annotations of Emotion in Music: swapped columns and repeated songs."""
    frame = annotations.frame
    static, dynamic = (
        frame[[f"{label}_arousal", f"{label}_valence"]].to_numpy()
        for label in ("static", "dynamic")
    )
    items = (frame["artist"] + " - " + frame["title"]).tolist()
    return context.store.facts(
        "audit-emomusic-annotations",
        {"clips": annotations.digest, "static": static.tolist()},
        lambda: evaluation.audit(items=items, targets=static, reference=dynamic).to_dict(),
    )


def audit_splits(name: str, transformer, clips, context: RunContext) -> dict[str, dict]:
    """Audit the splits of both protocols with one feature, which stands for all."""
    protocols = make_protocols(clips.groups, context.budget, context.seed)

    def compute() -> dict:
        X = transformer.transform(clips.data)
        return {
            name: evaluation.audit(
                X, clips.target, groups=clips.groups, cv=splitter, random_state=context.seed
            ).to_dict()
            for name, splitter in protocols.items()
        }

    splitters = {name: repr(splitter) for name, splitter in protocols.items()}
    settings = _settings(clips, context, transformer, protocols=splitters)
    return context.store.facts(f"audit-{name}", settings, compute)


class SingerMap(NamedTuple):
    """One map, its labels, and the purity of each label over perplexities."""

    perplexity: int
    points: np.ndarray
    labels: dict[str, np.ndarray]
    purity: pd.DataFrame

    def purity_of(self, label: str) -> tuple[float, float]:
        """Return purity of a label in the map itself, and by chance."""
        wanted = {"label": label, "perplexity": self.perplexity}
        row = study.rows_of(self.purity, wanted).iloc[0]
        return float(row["purity"]), float(row["chance"])

    def purity_range(self, label: str) -> tuple[float, float]:
        """Return the lowest and the highest purity of a label over perplexities."""
        values = self.purity.loc[self.purity["label"] == label, "purity"]
        return float(values.min()), float(values.max())


def map_singers(name: str, transformer, clips, context: RunContext) -> SingerMap | None:
    """Map the clips of RAVDESS by one feature; None for fewer clips than its perplexity needs."""
    perplexity = study.published()["map"]["perplexity"]
    if len(clips.data) <= perplexity:
        return None
    columns = {"emotion": "emotion", "singer": "actor", "sex": "sex"}
    by_name = {name: clips.frame[column].to_numpy() for name, column in columns.items()}
    fitting = {value for value in context.budget.perplexities if value < len(clips.data)}
    perplexities = sorted({*fitting, perplexity})
    settings = _settings(clips, context, transformer, perplexities=perplexities)

    def compute() -> dict:
        scaled = StandardScaler().fit_transform(transformer.transform(clips.data))
        purity = tsne_purity(scaled, by_name, perplexities, random_state=context.seed)
        points = tsne_map(scaled, perplexity=perplexity, random_state=context.seed)
        return {"purity": purity.to_dict("list"), "points": points.tolist()}

    facts = context.store.facts(f"ravdess-song-map-{name}", settings, compute)
    purity = pd.DataFrame(facts["purity"])
    return SingerMap(perplexity, np.array(facts["points"]), by_name, purity)


CHOI = "choi2017"
REGRESSOR = "svr"
_LAYERS = tuple(f"emoMusic_layer_{i}.npy" for i in range(5))


def find_published_features(data_home, annotations) -> np.ndarray | None:
    """Return the features of Choi et al. (2017), a row for each annotated song, where they are."""
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


def regress(name: str, feature, dataset, context: RunContext) -> evaluation.RegressionResult:
    """Predict both labels with one feature, under random, artist-grouped and published splits."""
    frame, budget = dataset.frame, context.budget
    targets = {
        f"{label} {axis}": frame[f"{label}_{axis}"].to_numpy()
        for label in ("static", "dynamic")
        for axis in ("arousal", "valence")
    }
    splitters = REGRESSION.splitters(budget.n_regression_folds, 1)
    protocols = {key: splitters[key](context.seed) for key in ("shuffled", "grouped")}
    subsets = frame["split"].to_numpy(dtype=str)
    if {"train", "test"} <= set(subsets):
        protocols["fixed"] = evaluation.FixedSplit(subsets)
    X = None if isinstance(feature, np.ndarray) else dataset.data
    return _evaluate(
        f"emomusic-r2-{name}", context, {name: feature}, [REGRESSOR], X, targets,
        task=REGRESSION, groups=dataset.groups, protocol=protocols,
    )  # fmt: skip

"""The pieces of the study, which a second run reads back: cells, audits, maps, regressions."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.preprocessing import StandardScaler

from skmer import evaluation
from skmer._version import __version__
from skmer.classifiers import make_classifier
from skmer.datasets import get_data_home
from skmer.evaluation.features import VECTOR
from skmer.evaluation.manifest import describe_estimator
from skmer.evaluation.rounds import FitStore
from skmer.evaluation.statistics.purity import tsne_map, tsne_purity
from skmer.evaluation.tasks import CLASSIFICATION, REGRESSION
from skmer.exceptions import InputError
from skmer.studies.koh2021 import data as study
from skmer.studies.koh2021.consistency import check_report_consistency, consistent_sizes
from skmer.utils import cache, digest, estimators
from skmer.utils.labels import stack_frames
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

    def facts(self, name: str, settings: dict, compute: Callable[[], dict]) -> dict:
        """Return facts that JSON can hold, computed where they are not there yet."""
        key = {"piece": name, "skmer": __version__, "settings": settings}
        entry = self.get_or_compute(
            key, lambda: (np.frombuffer(to_json(compute()).encode(), np.uint8), [])
        )
        self.computed += [name] if entry.is_new else []
        return json.loads(entry.array.tobytes())


@dataclass(frozen=True)
class RunContext:
    """Where pieces are kept, what embeds the clips, and where random numbers come from."""

    store: PieceStore
    extractor: study.FeatureExtractor
    seed: int
    n_jobs: int | None
    verbose: bool

    @property
    def budget(self) -> study.Budget:
        """How much is computed."""
        return self.extractor.budget

    def announce(self, text: str) -> None:
        """Print on standard error what is computed next."""
        from rich.console import Console

        Console(stderr=True, quiet=not self.verbose, highlight=False).print(text, markup=False)


@dataclass(frozen=True)
class Cell:
    """A dataset, a feature of an edition, and a classifier, which are evaluated at once."""

    dataset: str
    feature: study.Feature
    classifier: str

    def __str__(self) -> str:
        edition = self.feature.edition.name
        return f"{self.dataset}-{edition}-{self.feature.name}-{self.classifier}"


def list_cells(dataset: str, features: Iterable[study.Feature], classifiers) -> list[Cell]:
    """Return the cells of a dataset in one edition."""
    return [
        Cell(dataset, feature, classifier)
        for feature in features
        for classifier in classifiers
        if feature.name != study.LARGE or classifier == study.LARGE_CLASSIFIER
    ]


def make_protocols(
    groups, budget: study.Budget, seed: int, n_rounds: int | None = None
) -> dict[str, BaseCrossValidator]:
    """Return the splitters of the first rounds of a cell; without groups none can be kept apart."""
    draws = {"koh2021": budget.n_shuffles}
    if groups is not None:
        draws["grouped"] = budget.n_draws
    if n_rounds is not None:
        draws = {name: min(n, n_rounds) for name, n in draws.items()}
    return {name: CLASSIFICATION.splitters(5, n)[name](seed) for name, n in draws.items()}


def make_model(classifier: str, preset: estimators.Preset, budget: study.Budget):
    """Return a classifier of the preset that trains no longer than the budget allows."""
    model = make_classifier(classifier, preset=preset)
    limits = {}
    for name, value in model.get_params().items():
        last = name.rsplit("__")[-1]
        if last == "epochs":
            limits[name] = min(value, budget.max_epochs)
        elif last == "patience" and value is not None:
            limits[name] = min(value, budget.patience)
    return model.set_params(**limits)


def evaluate_cell(
    cell: Cell, clips, context: RunContext, n_rounds: int
) -> evaluation.EvaluationResult:
    """Return the result of a cell after some rounds; its finished fits are kept."""
    feature = cell.feature
    return _evaluate(
        evaluation.evaluate,
        str(cell),
        find_fits(cell, clips, context),
        feature,
        context,
        {feature.name: context.extractor(feature, feature.view(cell.classifier), clips)},
        {cell.classifier: make_model(cell.classifier, feature.edition.preset, context.budget)},
        clips.data,
        clips.target,
        groups=clips.groups,
        protocol=make_protocols(clips.groups, context.budget, context.seed, n_rounds),
        preset=feature.edition.preset,
    )


def _evaluate(
    evaluate: Callable, name: str, fits: Path, feature, context: RunContext, *given, **options
):
    """Return the result of a piece, which goes on from its finished fits and keeps the others."""
    n_finished = len(FitStore(fits))
    options |= {"n_jobs": context.n_jobs, "verbose": context.verbose, "audit": False}
    result = evaluate(*given, random_state=context.seed, checkpoint=fits, **options)
    if len(FitStore(fits)) > n_finished:
        context.store.computed.append(name)
    # It holds the features.
    result.experiment = None
    # What was given is an array, which has no weights.
    marks = {"weights": feature.weights_label, "random_weights": feature.is_random}
    result.scores = result.scores.assign(**marks)
    if feature.transformer is not None:
        described = describe_estimator(feature.transformer)
        marks |= {"transformer": described, "weights_digest": feature.weights_digest}
    result.manifest["features"][feature.name] |= marks
    return result


def find_fits(cell: Cell, clips, context: RunContext) -> Path:
    """Return the folder of the finished fits of a cell, by all on which their numbers depend."""
    feature, budget = cell.feature, context.budget
    view = feature.view(cell.classifier)
    settings = _settings(
        clips,
        context,
        make_protocols(clips.groups, budget, context.seed),
        skmer=__version__,
        feature=study.describe_view(feature, view, budget),
        classifier=describe_estimator(make_model(cell.classifier, feature.edition.preset, budget)),
    )
    return context.store.folder.parent / f"{cell}-{digest.settings_digest(settings)[:12]}"


def count_rounds(cell: Cell, clips, context: RunContext) -> int:
    """Return how many rounds of a cell are finished; its fits of one come before the next."""
    budget = context.budget
    n_fits = len(FitStore(find_fits(cell, clips, context)))
    n_folds = 0 if clips.groups is None else 5
    needed = (
        min(n, budget.n_shuffles) + n_folds * min(n, budget.n_draws)
        for n in range(1, budget.n_rounds + 1)
    )
    return sum(n_fits >= n for n in needed)


def _settings(clips, context: RunContext, protocols: dict, **settings) -> dict:
    """Return all settings on which a piece depends."""
    splitters = {name: repr(splitter) for name, splitter in protocols.items()}
    return {"clips": clips.digest, "protocols": splitters, "seed": context.seed} | settings


def join_results(results: list, **marks) -> evaluation.EvaluationResult:
    """Put the cells of one dataset and edition together; they share their splits."""
    manifest = results[0].manifest | marks
    for key in ("features", "models"):
        manifest[key] = {k: v for result in results for k, v in result.manifest[key].items()}
    return evaluation.EvaluationResult(
        stack_frames([result.scores for result in results]),
        stack_frames([result.predictions for result in results]),
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


def audit_splits(
    dataset: str, feature: study.Feature, clips, context: RunContext
) -> dict[str, dict]:
    """Audit the splits of both protocols with one feature, which stands for all."""
    protocols = make_protocols(clips.groups, context.budget, context.seed)
    described = study.describe_view(feature, VECTOR, context.budget)

    def compute() -> dict:
        X = context.extractor(feature, VECTOR, clips)
        return {
            name: evaluation.audit(
                X, clips.target, groups=clips.groups, cv=splitter, random_state=context.seed
            ).to_dict()
            for name, splitter in protocols.items()
        }

    name = f"audit-{dataset}-{feature.edition.name}-{feature.name}"
    settings = _settings(clips, context, protocols, feature=described)
    return context.store.facts(name, settings, compute)


@dataclass(frozen=True)
class SingerMap:
    """One map, its labels, and the purity of each label over perplexities."""

    feature: study.Feature
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


def map_singers(feature: study.Feature, clips, context: RunContext) -> SingerMap | None:
    """Map the clips of RAVDESS by one feature; None for fewer clips than its perplexity needs."""
    import pandas as pd

    perplexity = study.published()["map"]["perplexity"]
    if len(clips.data) <= perplexity:
        return None
    perplexities = [value for value in context.budget.perplexities if value < len(clips.data)]
    labels = {
        name: clips.frame[column].to_numpy()
        for name, column in (("emotion", "emotion"), ("singer", "actor"), ("sex", "sex"))
    }
    perplexities = sorted({*perplexities, perplexity})
    described = study.describe_view(feature, VECTOR, context.budget)
    settings = _settings(clips, context, {}, feature=described, perplexities=perplexities)

    def compute() -> dict:
        scaled = StandardScaler().fit_transform(context.extractor(feature, VECTOR, clips))
        purity = tsne_purity(scaled, labels, perplexities, random_state=context.seed)
        points = tsne_map(scaled, perplexity=perplexity, random_state=context.seed)
        return {"purity": purity.to_dict("list"), "points": points.tolist()}

    facts = context.store.facts(f"ravdess-song-map-{feature.name}", settings, compute)
    purity = pd.DataFrame(facts["purity"])
    return SingerMap(feature, perplexity, np.array(facts["points"]), labels, purity)


CHOI = "choi2017"
REGRESSOR = "svr"
_LAYERS = tuple(f"emoMusic_layer_{i}.npy" for i in range(5))


def find_published_features(data_home, annotations) -> study.Feature | None:
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
    return study.Feature(CHOI, values=layers[places])


def regress(dataset, feature: study.Feature, context: RunContext) -> evaluation.RegressionResult:
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
    name = f"emomusic-r2-{feature.name}"
    return _evaluate(
        evaluation.evaluate_regression,
        name,
        context.store.folder.parent / name,
        feature,
        context,
        {feature.name: context.extractor(feature, VECTOR, dataset)},
        [REGRESSOR],
        None,
        targets,
        groups=dataset.groups,
        protocol=protocols,
    )

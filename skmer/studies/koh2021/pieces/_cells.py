"""Classification: a cell is a dataset, an edition, a feature and a classifier."""

from collections.abc import Iterable
from dataclasses import dataclass

from sklearn.model_selection import BaseCrossValidator

from skmer.classifiers import make_classifier
from skmer.evaluation.experiment._classification import evaluate
from skmer.evaluation.experiment._manifest import describe
from skmer.evaluation.results._classification import EvaluationResult
from skmer.evaluation.splitters._repeated_stratified_group_kfold import RepeatedStratifiedGroupKFold
from skmer.evaluation.splitters._stratified_three_way_split import StratifiedThreeWaySplit
from skmer.studies.koh2021._clips import clips_digest
from skmer.studies.koh2021._editions import Effort
from skmer.studies.koh2021._embeddings import (
    LARGE,
    LARGE_CLASSIFIER,
    Feature,
    describe_view,
)
from skmer.studies.koh2021._run import Run


@dataclass(frozen=True)
class Cell:
    """What is evaluated at once."""

    dataset: str
    feature: Feature
    classifier: str

    def __str__(self) -> str:
        edition = self.feature.edition.name
        return f"{self.dataset}-{edition}-{self.feature.name}-{self.classifier}"


def list_cells(dataset: str, features: Iterable[Feature], classifiers) -> list[Cell]:
    """Return the cells of a dataset in one edition."""
    return [
        Cell(dataset, feature, classifier)
        for feature in features
        for classifier in classifiers
        if feature.name != LARGE or classifier == LARGE_CLASSIFIER
    ]


def make_protocols(groups, effort: Effort, seed: int) -> dict[str, BaseCrossValidator]:
    """Return the splitters of a cell; without groups nothing can be kept apart."""
    protocols: dict[str, BaseCrossValidator] = {
        "koh2021": StratifiedThreeWaySplit(effort.n_shuffles, random_state=seed)
    }
    if groups is not None:
        protocols["grouped"] = RepeatedStratifiedGroupKFold(
            5, n_repeats=effort.n_draws, random_state=seed
        )
    return protocols


def make_model(classifier: str, preset: str, effort: Effort):
    """Return a classifier of the preset that trains no longer than the effort allows."""
    model = make_classifier(classifier, preset=preset)
    limits = {}
    for name, value in model.get_params().items():
        last = name.rsplit("__")[-1]
        if last == "epochs":
            limits[name] = min(value, effort.max_epochs)
        elif last == "patience" and value is not None:
            limits[name] = min(value, effort.patience)
    return model.set_params(**limits)


def evaluate_cell(cell: Cell, clips, run: Run) -> EvaluationResult:
    """Return the result of a cell under both protocols, from the store where it is there."""
    feature, effort = cell.feature, run.effort
    preset = feature.edition.preset
    view = feature.view(cell.classifier)
    model = make_model(cell.classifier, preset, effort)
    protocols = make_protocols(clips.groups, effort, run.seed)
    settings = {
        "clips": clips_digest(clips),
        "feature": describe_view(feature, view, effort),
        "classifier": describe(model),
        "protocols": {name: repr(splitter) for name, splitter in protocols.items()},
        "seed": run.seed,
    }

    def compute() -> EvaluationResult:
        result = evaluate(
            {feature.name: run.extractor(feature, view, clips)},
            {cell.classifier: model},
            None,
            clips.target,
            groups=clips.groups,
            protocol=protocols,
            preset=preset,
            random_state=run.seed,
            n_jobs=run.n_jobs,
            audit=False,
            verbose=run.verbose,
        )
        result.scores["weights"] = feature.weights_label
        result.manifest["features"][feature.name] |= {
            "transformer": describe(feature.transformer),
            "weights": feature.weights_label,
            "weights_digest": feature.weights_digest,
        }
        return result

    return run.store.result(EvaluationResult, str(cell), settings, compute)


def join_results(results: list[EvaluationResult]) -> EvaluationResult:
    """Put the cells of one dataset and edition together; they share their splits."""
    import pandas as pd

    manifest = dict(results[0].manifest)
    for part in ("features", "models"):
        manifest[part] = {k: v for result in results for k, v in result.manifest[part].items()}
    return EvaluationResult(
        pd.concat([result.scores for result in results], ignore_index=True),
        pd.concat([result.predictions for result in results], ignore_index=True),
        manifest,
    )

"""Classification: a cell is a dataset, an edition, a feature and a classifier."""

from collections.abc import Iterable
from dataclasses import dataclass

from sklearn.model_selection import BaseCrossValidator

from skmer.classifiers import make_classifier
from skmer.evaluation import EvaluationResult, evaluate
from skmer.evaluation.experiment import classification_protocols, describe_estimator
from skmer.studies.koh2021._context import RunContext
from skmer.studies.koh2021._editions import Budget
from skmer.studies.koh2021._features import (
    LARGE,
    LARGE_CLASSIFIER,
    Feature,
    describe_view,
)
from skmer.utils._frames import stack_frames
from skmer.utils._types import Preset


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


def make_protocols(groups, budget: Budget, seed: int) -> dict[str, BaseCrossValidator]:
    """Return the splitters of a cell; without groups nothing can be kept apart."""
    draws = {"koh2021": budget.n_shuffles}
    if groups is not None:
        draws["grouped"] = budget.n_draws
    return {name: classification_protocols(5, n)[name](seed) for name, n in draws.items()}


def make_model(classifier: str, preset: Preset, budget: Budget):
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


def evaluate_cell(cell: Cell, clips, context: RunContext) -> EvaluationResult:
    """Return the result of a cell under both protocols, from the store where it is there."""
    feature, budget = cell.feature, context.budget
    preset = feature.edition.preset
    view = feature.view(cell.classifier)
    model = make_model(cell.classifier, preset, budget)
    protocols = make_protocols(clips.groups, budget, context.seed)
    settings = {
        "clips": clips.digest,
        "feature": describe_view(feature, view, budget),
        "classifier": describe_estimator(model),
        "protocols": {name: repr(splitter) for name, splitter in protocols.items()},
        "seed": context.seed,
    }

    def compute() -> EvaluationResult:
        result = evaluate(
            {feature.name: context.extractor(feature, view, clips)},
            {cell.classifier: model},
            None,
            clips.target,
            groups=clips.groups,
            protocol=protocols,
            preset=preset,
            random_state=context.seed,
            n_jobs=context.n_jobs,
            audit=False,
            verbose=context.verbose,
        )
        result.scores["weights"] = feature.weights_label
        result.scores["random_weights"] = feature.is_random
        result.manifest["features"][feature.name] |= {
            "transformer": describe_estimator(feature.transformer),
            "weights": feature.weights_label,
            "weights_digest": feature.weights_digest,
            "random_weights": feature.is_random,
        }
        return result

    return context.store.result(EvaluationResult, str(cell), settings, compute)


def join_results(results: list[EvaluationResult]) -> EvaluationResult:
    """Put the cells of one dataset and edition together; they share their splits."""
    manifest = dict(results[0].manifest)
    for part in ("features", "models"):
        manifest[part] = {k: v for result in results for k, v in result.manifest[part].items()}
    return EvaluationResult(
        stack_frames([result.scores for result in results]),
        stack_frames([result.predictions for result in results]),
        manifest,
    )

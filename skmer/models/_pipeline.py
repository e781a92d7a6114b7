"""The two halves of a model: what embeds clips, and what judges embeddings."""

from sklearn.pipeline import FeatureUnion, Pipeline

from skmer.embeddings import BaseClipTransformer
from skmer.exceptions import InputTypeError


def split_pipeline(model) -> tuple[list[BaseClipTransformer], Pipeline]:
    """Return the transformers of clips at the start of a pipeline, and the rest of it."""
    steps = model.steps if isinstance(model, Pipeline) else []
    transformers = transformers_of(steps[0][1]) if len(steps) > 1 else []
    if not transformers:
        raise InputTypeError(
            "The model must be a pipeline that starts with a transformer of clips, or a union of "
            "those, as make_pipeline(MusiCNNTransformer(), SVC()) does. "
            f"Got {type(model).__name__}."
        )
    return transformers, Pipeline(steps[1:])


def transformers_of(step) -> list[BaseClipTransformer]:
    """Return the transformers of clips that a step holds, in the order of their columns."""
    if isinstance(step, BaseClipTransformer):
        return [step]
    if isinstance(step, FeatureUnion) and not step.transformer_weights:
        parts = [part for _, part in step.transformer_list]
        if all(isinstance(part, BaseClipTransformer) for part in parts):
            return parts
    return []

"""A fitted pipeline on disk with its card, and back; prediction on new clips."""

from skmer.models.card import ModelCard
from skmer.models.file import load_model, read_card, save_model, trusted_types
from skmer.models.predict import PredictionFile, predict_batches, predict_clips, write_predictions

__all__ = [
    "ModelCard",
    "PredictionFile",
    "load_model",
    "predict_batches",
    "predict_clips",
    "read_card",
    "save_model",
    "trusted_types",
    "write_predictions",
]

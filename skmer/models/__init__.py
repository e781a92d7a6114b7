"""A fitted pipeline on disk with its card, and back; prediction on new clips."""

from skmer.models.card import ModelCard
from skmer.models.file import load_model, read_card, save_model, trusted_types
from skmer.models.predict import predict_clips

__all__ = ["ModelCard", "load_model", "predict_clips", "read_card", "save_model", "trusted_types"]

"""A fitted pipeline on disk with its card, and back; prediction on new clips."""

from skmer.models._card import ModelCard
from skmer.models._file import load_model, read_card, save_model
from skmer.models._predict import predict_clips

__all__ = ["ModelCard", "load_model", "predict_clips", "read_card", "save_model"]

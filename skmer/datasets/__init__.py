"""Datasets of music and singing labelled with emotion."""

from skmer.datasets.bimodal import fetch_bimodal
from skmer.datasets.deam import fetch_deam
from skmer.datasets.emomusic import fetch_emomusic
from skmer.datasets.fetch import get_data_home
from skmer.datasets.fourq import fetch_4q
from skmer.datasets.info import AffectScale, DatasetInfo
from skmer.datasets.merge import fetch_merge
from skmer.datasets.own import find_clips, load_csv, load_folder
from skmer.datasets.ravdess_song import fetch_ravdess_song
from skmer.datasets.registry import list_datasets, load_dataset, validate_dataset
from skmer.datasets.toy import load_toy_emotions
from skmer.datasets.validate import ValidationReport

__all__ = [
    "AffectScale",
    "DatasetInfo",
    "ValidationReport",
    "fetch_4q",
    "fetch_bimodal",
    "fetch_deam",
    "fetch_emomusic",
    "fetch_merge",
    "fetch_ravdess_song",
    "find_clips",
    "get_data_home",
    "list_datasets",
    "load_csv",
    "load_dataset",
    "load_folder",
    "load_toy_emotions",
    "validate_dataset",
]

"""Datasets of music and singing labelled with emotion."""

from skmer.datasets._bimodal import fetch_bimodal
from skmer.datasets._deam import fetch_deam
from skmer.datasets._emomusic import fetch_emomusic
from skmer.datasets._fourq import fetch_4q
from skmer.datasets._merge import fetch_merge
from skmer.datasets._ravdess_song import fetch_ravdess_song
from skmer.datasets._registry import list_datasets, load_dataset, validate_dataset
from skmer.datasets._toy import load_toy_emotions
from skmer.datasets.base._affect_scale import AffectScale
from skmer.datasets.base._data_home import get_data_home
from skmer.datasets.base._dataset_info import DatasetInfo
from skmer.datasets.own._csv import load_csv
from skmer.datasets.own._find_clips import find_clips
from skmer.datasets.own._folder import load_folder
from skmer.datasets.validation._report import ValidationReport

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

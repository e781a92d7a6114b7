"""Datasets of music and singing labelled with emotion."""

# Datasets are listed in the order in which they are imported here.
# isort: off
from skmer.datasets.toy import load_toy_emotions
from skmer.datasets.toy_tags import load_toy_tags
from skmer.datasets.ravdess_song import fetch_ravdess_song
from skmer.datasets.emomusic import fetch_emomusic
from skmer.datasets.deam import fetch_deam
from skmer.datasets.fourq import fetch_4q
from skmer.datasets.bimodal import fetch_bimodal
from skmer.datasets.merge import fetch_merge
from skmer.datasets.pmemo import fetch_pmemo
from skmer.datasets.mtg_jamendo_moodtheme import fetch_mtg_jamendo_moodtheme

# isort: on
from skmer.datasets.own import load_dataset, load_folder
from skmer.datasets.own_csv import load_csv
from skmer.datasets.registry import DatasetInfo, get_data_home, list_datasets
from skmer.datasets.tables import AffectScale
from skmer.datasets.validate import ValidationReport, validate_dataset
from skmer.utils.messages import deprecated_names

__getattr__ = deprecated_names(__name__, {"find_clips": "skmer.datasets.own:find_clips"})

__all__ = [
    "AffectScale",
    "DatasetInfo",
    "ValidationReport",
    "fetch_4q",
    "fetch_bimodal",
    "fetch_deam",
    "fetch_emomusic",
    "fetch_merge",
    "fetch_mtg_jamendo_moodtheme",
    "fetch_pmemo",
    "fetch_ravdess_song",
    "get_data_home",
    "list_datasets",
    "load_csv",
    "load_dataset",
    "load_folder",
    "load_toy_emotions",
    "load_toy_tags",
    "validate_dataset",
]

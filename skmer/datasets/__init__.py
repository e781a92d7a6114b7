"""Datasets of music and singing labelled with emotion."""

from skmer.datasets._base import DatasetInfo, get_data_home
from skmer.datasets._csv import load_csv
from skmer.datasets._ravdess import fetch_ravdess_song
from skmer.datasets._toy import load_toy_emotions

__all__ = [
    "DatasetInfo",
    "fetch_ravdess_song",
    "get_data_home",
    "load_csv",
    "load_toy_emotions",
]

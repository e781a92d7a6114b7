"""What a reproduction may find, without computing an embedding."""

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import Bunch

from skmer.embeddings import make_transformer
from skmer.evaluation import evaluate
from skmer.studies.koh2021.data import EDITIONS, QUICK, StudyDatasets
from skmer.studies.koh2021.page import render_study
from skmer.studies.koh2021.reproduce import Reproduction

SINGERS = np.repeat(np.arange(10), 8)
EMOTIONS = np.where(SINGERS % 2, "calm", "<i>sad</i>")


@pytest.fixture(scope="session")
def findings():
    """Features that know each singer, and so the emotion, but only of singers heard before."""
    rng = np.random.default_rng(0)
    voices = 5 * rng.normal(size=(10, 6))[SINGERS] + rng.normal(size=(SINGERS.size, 6))
    clips = Bunch(
        data=[f"{row}.wav" for row in range(SINGERS.size)],
        target=EMOTIONS,
        target_names=["calm", "<i>sad</i>"],
        groups=SINGERS,
        frame=pd.DataFrame({"label": EMOTIONS}),
    )
    datasets = StudyDatasets(missing={"4q": "<script>alert(1)</script>"}, notes=["<b>rare</b>"])
    found = Reproduction(datasets, QUICK, 0)
    for edition in EDITIONS:
        datasets.clips["ravdess-song", edition.name] = clips
        found.features = dict.fromkeys(("mfcc", "musicnn"), make_transformer("mfcc"))
        found.results["ravdess-song", edition.name] = evaluate(
            {"mfcc": voices, "musicnn": voices[:, :3]},
            {"nb": GaussianNB()},
            None,
            EMOTIONS,
            groups=SINGERS,
            protocol=["koh2021", "grouped"],
            n_repeats=2,
            audit=False,
        )
    found.left_out = {"l3": "<script>alert(2)</script>"}
    return found


@pytest.fixture(scope="session")
def page(findings):
    """The page of it."""
    return render_study(findings)

"""What editors and type checkers see of skmer, from outside of it."""

import inspect
import subprocess
import sys
from typing import get_args, get_origin, get_type_hints

import pytest

import skmer
from skmer.embeddings import BaseClipTransformer
from skmer.utils.estimators import Options

# A line that ends in "flagged" is a mistake, and all others are right.
USER_FILE = """\
from pathlib import Path
import numpy as np
from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.classifiers import KerasMLPClassifier, make_classifier
from skmer.datasets import fetch_emomusic, load_toy_emotions
from skmer.embeddings import extract
from skmer.evaluation import EvaluationResult, evaluate
from skmer.models import load_model, read_card

songs = [Path("a.mp3"), Path("b.mp3")]
L3Transformer(input_repr="mel128", embedding_size=6144, pooling=("mean", "max"), memory=Path("c"))
L3Transformer(input_repr="mel257")  # flagged
L3Transformer(embedding_size=513)  # flagged
L3Transformer(input_repr="mel256", hop=0.1)  # flagged
L3Transformer("mel256")  # flagged
VGGishTransformer(postprocess="pca", random_state=np.random.RandomState(0))
VGGishTransformer(postprocess="quantise")  # flagged
MusiCNNTransformer(layer=("mean_pool", "tags"), weights=None)
MusiCNNTransformer(layer=("mean_pool", "tag"))  # flagged
MFCCStatsTransformer(statistics=("mean", "median"))  # flagged
KerasMLPClassifier(class_weight="balanced", hidden_layer_sizes=(64,))
KerasMLPClassifier(class_weight="even")  # flagged
KerasMLPClassifier(hidden=(64,))  # flagged
make_classifier("svm", preset="tuned")
make_classifier("svm", preset="best")  # flagged
fetch_emomusic(target="static")
fetch_emomusic(target="songwise")  # flagged

embeddings: np.ndarray = L3Transformer().fit(songs).transform(songs)
rows: str = L3Transformer().fit(songs).transform(songs)  # flagged
frames: list[np.ndarray] = L3Transformer().fit(songs).transform_frames(songs)
both: np.ndarray = MFCCStatsTransformer().fit_transform(songs)
named: L3Transformer = L3Transformer().fit(songs)
result: EvaluationResult = evaluate(["mfcc"], ["svm"], songs, ["calm", "sad"], on_error="skip")
evaluate(["mfcc"], ["svm"], songs, ["calm", "sad"], on_error="nan")  # flagged
result.figure("paper").savefig("scores.pdf")
result.figure("poster")  # flagged
result.report("report.html").exists()
result.nothing  # flagged
"""
ESTIMATORS = [
    getattr(skmer, name) for name in skmer.__all__ if inspect.isclass(getattr(skmer, name))
]


@pytest.mark.slow
def test_mypy_flags_mistakes_and_nothing_else(tmp_path):
    """In a folder of its own, skmer is found as it is installed."""
    script = tmp_path / "user_file.py"
    script.write_text(USER_FILE)
    command = [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", script.name]
    out = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    flagged = {int(line.split(":")[1]) for line in out.splitlines() if ": error: " in line}
    lines = USER_FILE.splitlines()
    expected = {i for i, line in enumerate(lines, 1) if line.endswith("# flagged")}
    assert flagged == expected, out


@pytest.mark.parametrize(
    "estimator", [BaseClipTransformer, *ESTIMATORS], ids=lambda one: one.__name__
)
def test_every_parameter_has_a_type_that_allows_what_the_checks_allow(estimator):
    hints = get_type_hints(estimator.__init__)
    assert set(inspect.signature(estimator).parameters) == set(hints) - {"return"}
    for name, constraints in estimator._parameter_constraints.items():
        allowed = {word for one in constraints if isinstance(one, Options) for word in one.options}
        if allowed:
            assert words_of(hints[name]) == allowed, name


def words_of(hint):
    """The words that a type names, alone or in a sequence."""
    if type(hint).__name__ == "_LiteralGenericAlias":
        return set(get_args(hint))
    return set().union(*map(words_of, get_args(hint))) if get_origin(hint) else set()

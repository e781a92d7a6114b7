"""Importing skmer is cheap and draws in nothing heavy."""

import subprocess
import sys

import pytest

import skmer

HEAVY = ("tensorflow", "keras", "scikeras", "matplotlib", "librosa", "numba", "ncnn", "onnxruntime")


def test_nothing_heavy_is_imported_even_to_embed_by_mfcc():
    code = (
        "import sys, numpy as np; from skmer import embeddings, classifiers, datasets, evaluation, cli; "
        "embeddings.MFCCStatsTransformer().fit_transform([(np.ones(9999), 22050)]); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_public_names():
    assert skmer.__all__ == sorted(skmer.__all__, key=lambda name: (name.startswith("_"), name))
    for name in skmer.__all__:
        assert getattr(skmer, name) is not None


@pytest.mark.slow
def test_the_import_costs_less_than_one_and_a_half_times_scikit_learns():
    def seconds(statement):
        code = (
            "import time; started = time.process_time(); "
            f"{statement}; print(time.process_time() - started)"
        )
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)

    # What skmer needs of scikit-learn: `import sklearn` alone loads next to nothing of it. By
    # turns, for what else the machine does slows both down alike.
    statements = (
        "from skmer import L3Transformer, VGGishTransformer, MFCCStatsTransformer",
        "import sklearn.pipeline",
    )
    rounds = [[seconds(statement) for statement in statements] for _ in range(5)]
    ours, theirs = map(min, zip(*rounds))
    assert ours < 1.5 * theirs

"""Mistakes that users make: the class of the error, one sentence, and nothing left behind."""

import warnings

import numpy as np
import pytest
import soundfile
from sklearn.naive_bayes import GaussianNB

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.classifiers import KerasMLPClassifier, make_classifier
from skmer.cli import main
from skmer.datasets import load_csv, load_dataset, load_folder
from skmer.embeddings import extract, make_transformer
from skmer.evaluation import (
    EvaluationResult,
    cluster_bootstrap,
    evaluate,
    evaluate_regression,
)
from skmer.exceptions import (
    AudioDecodeError,
    DatasetNotFoundError,
    WeightsNotFoundError,
)
from skmer.models import load_model, predict_clips, read_card, save_model

NOISE = 0.1 * np.random.default_rng(0).standard_normal(4000)
ROWS = np.random.default_rng(0).normal(size=(8, 3))
LABELS = list("ab" * 4)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with a clip, text that is none, and tables with a mistake each."""
    for name in ("SKMER_DATA", "SKMER_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", NOISE, 16000)
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "none").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "columns.csv").write_text("file,mood\na.wav,x\n")
    (tmp_path / "gone.csv").write_text("path,label\ngone.wav,x\n")
    (tmp_path / "nolabel.csv").write_text("path,label\na.wav,\n")
    (tmp_path / "twice.csv").write_text("path,label\na.wav,x\na.wav,y\n")
    return tmp_path


def files(folder):
    """All that is there, but for hidden locks, which stay by design."""
    return {path for path in folder.rglob("*") if not path.name.startswith(".")}


def fit_mlp(**parameters):
    """Fit a network on eight rows."""
    KerasMLPClassifier(**parameters).fit(ROWS, LABELS)


def run(feature, y=LABELS, **options):
    """Evaluate a feature with naive Bayes on eight rows."""
    options = {"groups": range(8), "n_folds": 2, **options}
    return evaluate({"x": feature}, {"nb": GaussianNB()}, None, y, **options)


# What is called, the class of the error, and what its sentence names.
MISTAKES = [
    # Parameters of transformers.
    (lambda: MFCCStatsTransformer(n_fft=10**7).fit([NOISE]), ValueError, "'n_fft'"),
    (lambda: MFCCStatsTransformer(hop_length=0).fit([NOISE]), ValueError, "'hop_length'"),
    (lambda: MFCCStatsTransformer(n_mfcc=129).fit([NOISE]), ValueError, "'n_mfcc'"),
    (lambda: MFCCStatsTransformer(statistics=("median",)).fit([NOISE]), ValueError, "'statistics'"),
    (lambda: MFCCStatsTransformer(duration=np.nan).fit([NOISE]), ValueError, "'duration'"),
    (lambda: MFCCStatsTransformer(sr=0).fit([NOISE]), ValueError, "'sr'"),
    (lambda: MFCCStatsTransformer(on_error="ignore").fit([NOISE]), ValueError, "'on_error'"),
    (lambda: L3Transformer(hop_size=0, weights=None).fit([NOISE]), ValueError, "'hop_size'"),
    (lambda: L3Transformer(embedding_size=1024, weights=None).fit([NOISE]), ValueError,
     "'embedding_size'"),
    (lambda: L3Transformer(pooling="avg", weights=None).fit([NOISE]), ValueError, "'pooling'"),
    (lambda: L3Transformer(engine="torch", weights=None).fit([NOISE]), ValueError, "'engine'"),
    (lambda: VGGishTransformer(postprocess="pca128").fit([NOISE]), ValueError, "'postprocess'"),
    (lambda: MusiCNNTransformer(layer="last", weights=None).fit([NOISE]), ValueError, "'layer'"),
    (lambda: L3Transformer(weights="missing.h5").fit(["a.wav"]), WeightsNotFoundError,
     "missing.h5"),
    (lambda: L3Transformer(weights="text.wav").fit(["a.wav"]), ValueError, "text.wav"),
    (lambda: make_transformer("l4"), ValueError, "l4"),
    # Clips.
    (lambda: MFCCStatsTransformer().fit_transform("a.wav"), ValueError, "[path]"),
    (lambda: MFCCStatsTransformer().fit_transform([None]), TypeError, "Row 0"),
    (lambda: MFCCStatsTransformer().fit_transform((NOISE, 16000)), TypeError, "(waveform, sr) pair"),
    (lambda: MFCCStatsTransformer().fit_transform([(NOISE, 0)]), ValueError, "Row 0"),
    (lambda: MFCCStatsTransformer().fit_transform([NOISE * np.nan]), ValueError, "Row 0"),
    (lambda: MFCCStatsTransformer().fit_transform(["gone.wav"]), AudioDecodeError, "gone.wav"),
    (lambda: MFCCStatsTransformer().fit_transform(["text.wav"]), AudioDecodeError, "text.wav"),
    (lambda: MFCCStatsTransformer().fit_transform(["empty.wav"]), AudioDecodeError, "empty.wav"),
    (lambda: MFCCStatsTransformer().fit_transform(["a.wav", "none"]), AudioDecodeError, "none"),
    # Classifiers.
    (lambda: make_classifier("svn"), ValueError, "svn"),
    (lambda: fit_mlp(epochs=0), ValueError, "'epochs'"),
    (lambda: fit_mlp(hidden_layer_sizes=(-1,)), ValueError, "'hidden_layer_sizes'"),
    (lambda: KerasMLPClassifier().fit(ROWS, ["a"] * 8), ValueError, "class"),
    # Datasets.
    (lambda: load_csv("missing.csv"), DatasetNotFoundError, "missing.csv"),
    (lambda: load_csv("empty.csv"), ValueError, "empty.csv"),
    (lambda: load_csv("columns.csv"), ValueError, "columns.csv"),
    (lambda: load_csv("gone.csv"), DatasetNotFoundError, "gone.wav"),
    (lambda: load_csv("nolabel.csv"), ValueError, "line 2"),
    (lambda: load_csv("twice.csv"), ValueError, "a.wav"),
    (lambda: load_folder("none"), DatasetNotFoundError, "none"),
    (lambda: load_dataset("ravdes"), ValueError, "ravdes"),
    # Evaluation.
    (lambda: run(ROWS, protocol="other"), ValueError, "other"),
    (lambda: run(ROWS, groups=None), ValueError, "groups"),
    (lambda: run(ROWS, y=LABELS[:7]), ValueError, "y"),
    (lambda: run(ROWS[:7]), ValueError, "7"),
    (lambda: run(np.where(ROWS < 0, np.nan, ROWS)), ValueError, "finite"),
    (lambda: run(np.ma.masked_less(ROWS, 0)), (ValueError, TypeError), "masked"),
    (lambda: run(ROWS + 1j), (ValueError, TypeError), "numbers"),
    (lambda: evaluate({"x": ROWS}, "svn", None, LABELS, groups=range(8), n_folds=2), ValueError, "svn"),
    (lambda: evaluate_regression({"x": ROWS}, "ridge", None, [np.nan] * 8, protocol="shuffled"),
     ValueError, "y"),
    (lambda: cluster_bootstrap(np.mean, [0, 1], [0, 1], n_resamples=0), ValueError, "n_resamples"),
    (lambda: EvaluationResult.load("none"), (ValueError, OSError), "none"),
    # Models and tables.
    (lambda: load_model("missing.skmer"), (ValueError, OSError), "missing.skmer"),
    (lambda: load_model("text.wav"), ValueError, "text.wav"),
    (lambda: read_card("empty.csv"), ValueError, "empty.csv"),
    (lambda: save_model(GaussianNB(), "m.skmer"), (ValueError, TypeError), "pipeline"),
    (lambda: predict_clips(GaussianNB(), ["a.wav"]), (ValueError, TypeError), "pipeline"),
    (lambda: extract(["a.wav"], MFCCStatsTransformer(), "t.txt"), ValueError, "t.txt"),
    (lambda: extract(["a.wav"], MFCCStatsTransformer(), "a.wav/t.npz"), OSError, "a.wav"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "named"), MISTAKES)
def test_a_mistake_is_one_sentence(folder, call, error, named):
    before = files(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error) as caught:
            call()
    sentence = str(caught.value)
    assert named in sentence
    assert len(sentence) <= 500
    assert files(folder) == before


@pytest.mark.parametrize(
    "words",
    [
        "extract missing.wav --out t.csv --features mfcc",
        "extract a.wav --out t.txt --features mfcc",
        "extract a.wav --out t.csv --features l4",
        "extract a.wav --out t.csv --features mfcc --cache text.wav",
        "evaluate gone.csv",
        "evaluate missing.csv",
        "evaluate nolabel.csv",
        "train toy --out none --features mfcc --classifiers nb",
        "predict missing.skmer a.wav",
        "predict text.wav a.wav",
        "datasets fetch nothing",
        "weights fetch nothing",
        "no-such-command",
        "evaluate " + 3000 * "x",
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(folder, capsys, words):
    before = files(folder)
    assert main(words.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    # Without the end of the line.
    assert 0 < len(captured.err.strip()) <= 500
    assert files(folder) == before

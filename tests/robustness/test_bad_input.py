"""A hundred mistakes, each answered by the right class and one sentence, with nothing written."""

import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.naive_bayes import GaussianNB

from skmer import (
    ClipFunctionTransformer,
    L3Transformer,
    MFCCStatsTransformer,
    MusiCNNTransformer,
    VGGishTransformer,
)
from skmer.classifiers import KerasCNNClassifier, KerasMLPClassifier, make_classifier
from skmer.cli import main
from skmer.datasets import find_clips, load_csv, load_dataset, load_folder
from skmer.embeddings import extract, make_transformer, verify_weights
from skmer.evaluation import (
    EvaluationResult,
    RepeatedStratifiedGroupKFold,
    StratifiedThreeWaySplit,
    audit,
    cluster_bootstrap,
    evaluate,
    evaluate_dynamic_regression,
    evaluate_regression,
    group_block_permutation_test,
    holm,
    neighbour_purity,
)
from skmer.exceptions import (
    AudioDecodeError,
    DatasetNotFoundError,
    InputError,
    InputTypeError,
    WeightsNotFoundError,
)
from skmer.models import load_model, predict_clips, read_card, save_model

NOISE = 0.1 * np.random.default_rng(0).standard_normal(4000)


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
    (tmp_path / "head.csv").write_text("path,label\n")
    (tmp_path / "comma.csv").write_text("path,label\na.wav,x,\n")
    (tmp_path / "columns.csv").write_text("file,mood\na.wav,x\n")
    (tmp_path / "gone.csv").write_text("path,label\ngone.wav,x\n")
    (tmp_path / "nolabel.csv").write_text("path,label\na.wav,\n")
    (tmp_path / "twice.csv").write_text("path,label\na.wav,x\na.wav,y\n")
    return tmp_path


def files(folder):
    """All that is there, but for hidden locks, which stay by design."""
    return {path for path in folder.rglob("*") if not path.name.startswith(".")}


def refused(call, error, said, folder):
    """Call, and check the class, the sentence and that nothing was left behind."""
    before = files(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error) as caught:
            call()
    sentence = str(caught.value)
    assert said in sentence
    assert len(sentence) <= 500, sentence
    assert "Traceback" not in sentence
    assert files(folder) == before


PARAMETERS = [
    *((MFCCStatsTransformer, name, value) for name, values in {
        "n_fft": (10**7, 1, 2048.0, None, "2048"),
        "hop_length": (0, -1, 10**9, 0.5),
        "n_mels": (0, 10**6),
        "n_mfcc": (0, 129, True),
        "n_frames": (10**9, 0, 1.5),
        "deltas": (-1, 3),
        "target_sr": (0, 10**9),
        "sr": (0, 10**9, True, np.nan),
        "offset": (-1, np.inf, np.nan, "1"),
        "duration": (0, -1, np.inf, np.nan),
        "memory": (3, "a.wav"),
        "n_jobs": (1.5, "2"),
        "on_error": ("ignore", None),
        "resampler": ("fast",),
        "statistics": ((), ("median",), "mean"),
    }.items() for value in values),
    *((kind, "batch_size", value) for kind in (L3Transformer, VGGishTransformer, MusiCNNTransformer)
      for value in (10**10, 0)),
    *((kind, "memory", "a.wav") for kind in (L3Transformer, VGGishTransformer, MusiCNNTransformer)),
    *((L3Transformer, "hop_size", value) for value in (1e-4, 0, -1, 1e300, np.nan, np.inf)),
    *((VGGishTransformer, "hop_size", value) for value in (1e-4, 1e300)),
    *((MusiCNNTransformer, "hop_size", value) for value in (1e-4, 1e300)),
    (L3Transformer, "pooling", "avg"),
    (L3Transformer, "pooling", ()),
    (L3Transformer, "embedding_size", 1024),
    (L3Transformer, "engine", "torch"),
    (VGGishTransformer, "postprocess", "pca128"),
    (MusiCNNTransformer, "layer", "last"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), PARAMETERS)
def test_parameters_of_transformers(folder, kind, name, value):
    changes = {name: value}
    if kind is not MFCCStatsTransformer:
        changes["weights"] = None
    if name == "n_frames":
        changes["statistics"] = None
    refused(lambda: kind(**changes).fit([NOISE]), (ValueError, TypeError), f"'{name}'", folder)


@pytest.mark.parametrize(
    "changes",
    [{"target_sr": 10**9}, {"frame_size": 1e9}, {"hop_size": 1e300, "frame_size": 1},
     {"batch_size": 10**10}, {"func": 3}],
)  # fmt: skip
def test_parameters_of_functions(folder, changes):
    transformer = ClipFunctionTransformer(np.mean, target_sr=16000).set_params(**changes)
    refused(lambda: transformer.fit([NOISE]), ValueError, f"'{next(iter(changes))}'", folder)


@pytest.mark.parametrize(
    ("X", "said"),
    [
        ("a.wav", "[path]"),
        ([], "0 samples"),
        (None, "None"),
        (3, "2D array"),
        ([None], "Row 0"),
        ([3j], "type complex"),
        ((path for path in ["a.wav"]), "list(...)"),
        ({"a.wav"}, "set"),
        ({"a": "a.wav"}, "dict"),
        ((NOISE, 16000), "[(waveform, sr)]"),
        ([(NOISE, np.nan)], "Row 0"),
        ([(NOISE, np.inf)], "Row 0"),
        ([(NOISE, 0)], "Row 0"),
        ([np.full(4000, np.nan)], "Row 0"),
        ([np.full(4000, 1e30)], "Row 0"),
        ([np.zeros(0)], "Row 0"),
        ([np.zeros((2, 2, 2))], "Row 0"),
        (["gone.wav"], "gone.wav"),
        (["text.wav"], "text.wav"),
        (["empty.wav"], "empty.wav"),
        (["none"], "none"),
        (["a.wav\0"], "Row 0"),
        (["x" * 10_000], "Row 0"),
        (pd.DataFrame({"path": ["a.wav"]}), "X['path']"),
        (np.ma.masked_array([NOISE], mask=[NOISE > 0]), "masked"),
    ],
)
def test_clips(folder, X, said):
    refused(lambda: MFCCStatsTransformer().fit_transform(X), (ValueError, TypeError), said, folder)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: make_transformer("l4"), ValueError, "l4"),
        (lambda: make_classifier("svn"), ValueError, "svn"),
        (lambda: KerasMLPClassifier(epochs=0).fit(np.eye(4), [0, 1] * 2), ValueError, "'epochs'"),
        (lambda: KerasMLPClassifier(hidden_layer_sizes=(-1,)).fit(np.eye(4), [0, 1] * 2),
         ValueError, "'hidden_layer_sizes'"),
        (lambda: KerasCNNClassifier(kernel_size=999).fit(np.eye(8), [0, 1] * 4),
         ValueError, "'kernel_size'"),
        (lambda: KerasMLPClassifier().fit(np.eye(4), [0] * 4), ValueError, "class"),
        (lambda: KerasMLPClassifier().fit(np.eye(4), [0, 1]), ValueError, "4"),
        (lambda: load_csv("missing.csv"), DatasetNotFoundError, "missing.csv"),
        (lambda: load_csv("empty.csv"), ValueError, "empty.csv"),
        (lambda: load_csv("head.csv"), ValueError, "head.csv"),
        (lambda: load_csv("comma.csv"), ValueError, "Line 2"),
        (lambda: load_csv("columns.csv"), ValueError, "columns.csv"),
        (lambda: load_csv("gone.csv"), DatasetNotFoundError, "gone.wav"),
        (lambda: load_csv("nolabel.csv"), ValueError, "line 2"),
        (lambda: load_csv("twice.csv"), ValueError, "a.wav"),
        (lambda: load_folder("missing"), DatasetNotFoundError, "missing"),
        (lambda: load_folder("none"), DatasetNotFoundError, "none"),
        (lambda: load_dataset("ravdes"), ValueError, "ravdes"),
        (lambda: find_clips(["missing"]), ValueError, "missing"),
        (lambda: find_clips("a.wav"), (ValueError, TypeError), "a.wav"),
        (lambda: evaluate("mfcc", "svm", ["a.wav"] * 2, ["x", "y"], protocol="other"), ValueError, "other"),
        (lambda: evaluate("mfcc", "svm", ["a.wav"] * 2, ["x"]), ValueError, "y"),
        (lambda: evaluate("mfcc", "svm", ["a.wav"] * 2, ["x", None], protocol="stratified"),
         (ValueError, TypeError), "y"),
        (lambda: evaluate("mfcc", "svn", ["a.wav"] * 2, ["x", "y"], groups=[1, 2]),
         ValueError, "svn"),
        (lambda: audit(np.eye(2), ["x"], groups=[0, 1]), (ValueError, TypeError), "y"),
        (lambda: cluster_bootstrap(np.mean, [0, 1], [0, 1], n_resamples=10**10),
         ValueError, "'n_resamples'"),
        (lambda: group_block_permutation_test(
            lambda y: 0.0, [0, 1], groups=[0, 1], n_permutations=10**10), (ValueError, TypeError),
         "'n_permutations'"),
        (lambda: holm([2.0]), ValueError, "p"),
        (lambda: neighbour_purity(np.eye(3), [0, 1, 0], n_neighbors=10**10), ValueError,
         "n_neighbors"),
        (lambda: list(RepeatedStratifiedGroupKFold(n_splits=1).split([0] * 4, [0, 1] * 2, range(4))),
         ValueError, "n_splits"),
        (lambda: StratifiedThreeWaySplit(test_size=2.0), ValueError, "test_size"),
        (lambda: EvaluationResult.load("missing"), (ValueError, OSError), "missing"),
        (lambda: EvaluationResult.load("none"), (ValueError, OSError), "none"),
        (lambda: load_model("missing.skmer"), (ValueError, OSError), "missing.skmer"),
        (lambda: load_model("text.wav"), ValueError, "text.wav"),
        (lambda: read_card("empty.csv"), ValueError, "empty.csv"),
        (lambda: save_model(GaussianNB(), "m.skmer"), (ValueError, TypeError), "pipeline"),
        (lambda: predict_clips(GaussianNB(), ["a.wav"]), (ValueError, TypeError), "pipeline"),
        (lambda: verify_weights("l4"), (ValueError, TypeError), "l4"),
        (lambda: L3Transformer(weights="missing.h5").fit(["a.wav"]), WeightsNotFoundError,
         "missing.h5"),
        (lambda: L3Transformer(weights="text.wav").fit(["a.wav"]), ValueError, "text.wav"),
        (lambda: VGGishTransformer(weights="none").fit(["a.wav"]), (ValueError, OSError), "none"),
        (lambda: MFCCStatsTransformer().frame_times(10**12), ValueError, "n_frames"),
        (lambda: extract(["a.wav"], MFCCStatsTransformer(), "t.txt"), ValueError, "t.txt"),
        (lambda: extract(["a.wav"], MFCCStatsTransformer(), "none.npz", columns={"sr": [1]}),
         ValueError, "'sr'"),
        (lambda: extract([None], MFCCStatsTransformer(), "t.npz"), TypeError, "Entry 0"),
        (lambda: extract(["a.wav"], MFCCStatsTransformer(), "a.wav/t.npz"), OSError, "a.wav"),
        (lambda: MFCCStatsTransformer().fit_transform(["text.wav"]), AudioDecodeError, "text.wav"),
    ],
)  # fmt: skip
def test_functions_and_files(folder, call, error, said):
    refused(call, error, said, folder)


NUMBERS = np.random.default_rng(0).normal(size=(8, 2, 3))


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("mfcc", "must be a transformer, or an array"),
        (None, "must be a transformer, or an array"),
        (MFCCStatsTransformer, "must be a transformer, or an array"),
        (NUMBERS[:, 0, 0], "Got an array of shape (8,)"),
        (NUMBERS[..., :0], "Got an array of shape (8, 2, 0)"),
        (NUMBERS.astype(str), "must be an array of numbers"),
        (NUMBERS.astype(str).astype(object), "must be an array of numbers"),
        (NUMBERS.astype("datetime64[s]"), "must be an array of numbers"),
        (NUMBERS + 1j, "must be an array of numbers"),
        ([NUMBERS[0], NUMBERS[0, :1]] * 4, "must be an array of numbers"),
        (np.ma.masked_less(NUMBERS, 0), "has masked values"),
        (np.where(NUMBERS < 0, np.nan, NUMBERS), "is not finite"),
    ],
)
def test_features(folder, feature, said):
    moments = {"curve": np.tile([[0.0, 1.0]], (8, 1)) + np.arange(8)[:, None]}
    one = {"one": feature}
    for call in (
        lambda: evaluate(one, ["nb"], None, list("ab" * 4), groups=range(8), n_folds=2),
        lambda: evaluate_regression(one, ["ridge"], None, np.arange(8), groups=range(8), n_folds=2),
        lambda: evaluate_dynamic_regression(
            one, ["ridge"], None, moments, times=[0, 1], protocol="shuffled", n_folds=2
        ),
    ):
        refused(call, (InputError, InputTypeError), said, folder)


@pytest.mark.parametrize(
    "words",
    [
        "extract missing.wav --out t.csv",
        "extract a.wav --out t.txt",
        "extract a.wav --out t.csv --features l4",
        "extract a.wav --out a.wav/t.csv --features mfcc",
        "extract a.wav --out t.csv --hop-size 0.0001 --features l3",
        "extract a.wav --out t.csv --features mfcc --cache text.wav",
        "extract comma.csv --out t.csv",
        "evaluate gone.csv",
        "evaluate missing.csv",
        "evaluate nolabel.csv",
        "evaluate a\0b",
        "evaluate " + 3000 * "x",
        "extract a.wav --out t.csv --features mfcc --resampler " + 3000 * "x",
        "train toy --out none --features mfcc --classifiers nb",
        "predict missing.skmer a.wav",
        "predict text.wav a.wav",
        "train missing.csv --out m.skmer",
        "datasets fetch nothing",
        "weights fetch nothing",
        "no-such-command",
    ],
)
def test_command(folder, capsys, words):
    before = files(folder)
    status = main(words.split())
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert len(captured.err) <= 500
    assert files(folder) == before

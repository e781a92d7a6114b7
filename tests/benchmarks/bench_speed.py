"""Speed beside the plain ways: L3-Net, its front-end, VGGish, MFCC, and import. No cache anywhere."""

from functools import partial
from pathlib import Path

import numpy as np
from _measure import check_equal, make_clips, python, share, speedup, take_turns
from originals import _librosa_way, _musicnn_way, _openl3_way, _vggish_way

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.audio import l3_spectrogram
from skmer.embeddings import l3 as _l3
from skmer.embeddings import musicnn as _musicnn
from skmer.embeddings import vggish as _vggish

HOP = 0.1


def l3(quick, folder):
    """Files to frames, mel256, hop 0.1: every engine and precision against the openl3 way."""
    paths = make_clips(folder, 1 if quick else 2, seconds=3 if quick else 5, sr=48000)
    settings = {"frontend": "librosa", "hop_size": HOP, "weights": None, "random_state": 0}
    ours = {
        "ncnn": L3Transformer(engine="ncnn", **settings),
        "tensorflow": L3Transformer(engine="tensorflow", **settings),
        "onnxruntime int8": L3Transformer(engine="onnxruntime", precision="int8", **settings),
    }
    for transformer in ours.values():
        transformer.fit(paths)
    weights = tuple(
        _l3.WEIGHTS["mel256", "music"]
        .load(
            None,
            ours["ncnn"]._recipe(pooled=False).seed,
        )[0]
        .values()
    )
    model = _openl3_way.build_model(weights, (256, 199))

    def openl3_way():
        return np.concatenate(_openl3_way.embed(model, paths, hop_size=HOP, n_mels=256))

    expected = openl3_way()
    cosines = {
        name: check_equal(
            np.concatenate(transformer.transform_frames(paths)),
            expected,
            at_least=0.99 if "int8" in name else 0.9999,
        )
        for name, transformer in ours.items()
    }
    functions = {
        name: lambda transformer=transformer: transformer.transform_frames(paths)
        for name, transformer in ours.items()
    }
    times = take_turns({"openl3": openl3_way, **functions}, 3 if quick else 7)
    targets = {"ncnn": 1.7, "onnxruntime int8": 3.0}
    for name, found in cosines.items():
        row = speedup(
            f"L3 mel256, hop 0.1, files to frames: {name}",
            times,
            name,
            "openl3",
            count=len(expected),
            unit="frames/s",
            at_least=targets.get(name),
        )
        row.note = f"lowest cosine of a frame {found:.6f}"
        yield row


def front_ends(quick, folder):
    """Spectrograms alone, against librosa frame by frame."""
    rng = np.random.default_rng(0)
    audio = rng.standard_normal(48000 * (3 if quick else 6)).astype(np.float32)
    frames = _openl3_way.cut(audio, HOP)
    for frontend in ("kapre", "librosa"):
        functions = {
            "skmer": lambda frontend=frontend: l3_spectrogram(frames, frontend=frontend),
            "librosa": lambda: [_openl3_way.spectrogram(frame, 256) for frame in frames],
        }
        yield speedup(
            f"L3 front-end alone, mel256, {frontend}",
            take_turns(functions, 5 if quick else 9),
            "skmer",
            "librosa",
            count=len(frames),
            unit="frames/s",
        )


def vggish(quick, folder):
    """Files to examples, against numpy and Keras' predict."""
    paths = make_clips(folder, 1 if quick else 4, seconds=10, sr=16000)
    ours = {
        name: VGGishTransformer(engine=name, weights=None, random_state=0).fit(paths)
        for name in ("ncnn", "tensorflow")
    }
    weights = tuple(_vggish.NETWORK_FILE.load(None, ours["ncnn"]._seed)[0].values())
    model = _vggish_way.build_model(weights)
    expected = np.concatenate(_vggish_way.embed(model, paths))
    functions = {"plain": lambda: _vggish_way.embed(model, paths)}
    for name, transformer in ours.items():
        check_equal(np.concatenate(transformer.transform_frames(paths)), expected)
        functions[name] = lambda transformer=transformer: transformer.transform_frames(paths)
    times = take_turns(functions, 5 if quick else 9)
    for name in ours:
        yield speedup(
            f"VGGish, files to examples: {name}",
            times,
            name,
            "plain",
            count=len(expected),
            unit="examples/s",
            at_least=1.3 if name == "ncnn" else None,
        )


def musicnn(quick, folder):
    """Files to frames, patches that overlap and that do not, against librosa and Keras' predict."""
    paths = make_clips(folder, 1 if quick else 4, seconds=30, sr=16000)
    layers = ("mean_pool", "max_pool", "penultimate", "tags")
    for hop in (93, 187):
        settings = {"weights": None, "random_state": 0, "layer": layers, "hop_size": hop * 0.016}
        ours = {
            name: MusiCNNTransformer(engine=name, **settings).fit(paths)
            for name in ("numpy", "tensorflow")
        }
        seed = ours["numpy"]._recipe(pooled=False).seed
        model = _musicnn_way.build_model(_musicnn.WEIGHTS["msd"].load(None, seed)[0])
        expected = np.concatenate(_musicnn_way.embed(model, paths, hop))
        functions = {"plain": lambda model=model, hop=hop: _musicnn_way.embed(model, paths, hop)}
        for name, transformer in ours.items():
            check_equal(np.concatenate(transformer.transform_frames(paths)), expected)
            functions[name] = lambda transformer=transformer: transformer.transform_frames(paths)
        times = take_turns(functions, 5 if quick else 9)
        for name in ours:
            yield speedup(
                f"MusiCNN, hop {hop * 0.016:.3g} s, files to frames: {name}",
                times,
                name,
                "plain",
                count=len(expected),
                unit="frames/s",
                at_least=2.0 if name == "numpy" else None,
            )


_MFCC = """
import sys
sys.path.insert(0, sys.argv[1])
folder, n_jobs, n_clips = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
paths = [f"{folder}/{i % 40}.wav" for i in range(n_clips)]
"""
_MFCC_OURS = """
from skmer import MFCCStatsTransformer
embed = MFCCStatsTransformer(n_jobs=n_jobs).fit_transform
"""
_MFCC_PLAIN = """
from originals import _librosa_way
def embed(paths):
    return _librosa_way.embed(paths, n_jobs)
"""
_MFCC_CALL = """
import time
started = time.perf_counter()
embed(paths)
print(time.perf_counter() - started)
"""


def mfcc(quick, folder):
    """Whole programs, start of interpreter, imports and workers included, and the work alone."""
    paths = make_clips(folder, 40, seconds=4.2, sr=48000)
    transformer = MFCCStatsTransformer().fit(paths)
    check_equal(transformer.transform(paths), _librosa_way.embed(paths))
    functions = {
        "skmer": lambda: transformer.transform(paths),
        "librosa": lambda: _librosa_way.embed(paths),
    }
    yield speedup(
        "MFCC, 4.2 s clips at 48 kHz, one process, warm",
        take_turns(functions, 3 if quick else 9),
        "skmer",
        "librosa",
        count=len(paths),
        unit="clips/s",
        at_least=1.0,
    )
    here = Path(__file__).parent
    n_clips = 200 if quick else 1000
    codes = {"skmer": _MFCC_OURS, "librosa": _MFCC_PLAIN}
    for n_jobs in (1, 2):
        calls = {name: [] for name in codes}

        def program(name, n_jobs=n_jobs, calls=calls):
            code = _MFCC + codes[name] + _MFCC_CALL
            calls[name].append(float(python(code, here, folder, n_jobs, n_clips)[0]))

        programs = take_turns({name: partial(program, name) for name in codes}, 3 if quick else 5)
        # The turns' first round is not counted, here neither.
        calls = {name: np.array(seconds)[1:, None].repeat(2, 1) for name, seconds in calls.items()}
        sizes = {"count": n_clips, "unit": "clips/s"}
        row = speedup(
            f"MFCC, first call of a process, {n_clips} clips, n_jobs={n_jobs}",
            calls,
            "skmer",
            "librosa",
            at_least=1.0,
            **sizes,
        )
        row.cpu_ratio = None
        row.note = "the start of workers included"
        yield row
        row = speedup(
            f"MFCC, whole program, {n_clips} clips, n_jobs={n_jobs}",
            programs,
            "skmer",
            "librosa",
            **sizes,
        )
        row.note = "most of ours is the import of scikit-learn, which librosa alone does not need"
        yield row


def imports(quick, folder):
    """Imports, each in a fresh interpreter: names are loaded lazily, so what loads one counts."""
    code = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
    repeats = 5 if quick else 15
    for ours, theirs in (
        ("import skmer", "import sklearn"),
        ("from skmer import L3Transformer", "from sklearn.feature_extraction import text"),
    ):
        # The first round fills the disk's cache.
        rounds = [
            [float(python(code.format(line))[0]) for line in (ours, theirs)]
            for _ in range(repeats + 1)
        ][1:]
        times = {
            name: np.array(found)[:, None] * [1, np.nan]
            for name, found in zip(("ours", "theirs"), zip(*rounds))
        }
        yield share(f"{ours}, against {theirs}", times, "ours", "theirs", at_most=1.5)

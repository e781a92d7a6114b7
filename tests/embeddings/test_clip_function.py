"""Any function as an embedding: cache, pooling, jobs, pickles, tables, and what it may not do."""

import copy
import pickle
import threading
from collections import Counter
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.estimator_checks import estimator_checks_generator

from skmer import ClipFunctionTransformer
from skmer.embeddings import extract
from skmer.embeddings.function import function_key
from skmer.evaluation import evaluate
from skmer.exceptions import (
    AudioDecodeError,
    FailedClipsWarning,
    InputError,
    ShortClipWarning,
)

calls = Counter()


def moments(frames):
    """Mean, mean square and maximum of each frame."""
    calls["frames"] += len(frames)
    return np.stack([frames.mean(1), (frames**2).mean(1), frames.max(1)], axis=1)


def whole_moments(waveform):
    return moments(waveform[None])[0]


def thirds(waveform):
    return moments(np.stack(np.array_split(waveform[: len(waveform) // 3 * 3], 3)))


FRAMED = ClipFunctionTransformer(moments, target_sr=8000, frame_size=0.25, name="moments")
WHOLE = ClipFunctionTransformer(whole_moments, target_sr=8000)
TRANSFORMERS = [FRAMED, WHOLE]


# parametrize_with_checks names a test after the function's address, which no two processes share.
CHECKS = [
    pytest.param(estimator, check, id=f"{name}-{check.func.__name__}")
    for name, transformer in zip(("framed", "whole"), TRANSFORMERS)
    for estimator, check in estimator_checks_generator(transformer)
]


@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
@pytest.mark.filterwarnings("ignore::skmer.exceptions.SampleScaleWarning")
@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_sklearn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=["framed", "whole"])
def test_how_many_checks_ran(transformer):
    names = [getattr(check, "func", check) for _, check in estimator_checks_generator(transformer)]
    assert len(names) >= 45


def test_frames_are_what_the_function_gets(waveforms):
    audio = waveforms[4][0]
    seen = []

    def note(frames):
        frames += 0  # they are its own
        seen.append(frames)
        return frames[:, :2]

    transformer = ClipFunctionTransformer(
        note, target_sr=8000, frame_size=0.25, hop_size=0.125, batch_size=3
    )
    (frames,) = transformer.fit([(audio, 8000)]).transform_frames([(audio, 8000)])
    assert [block.shape for block in seen[1:]] == [(3, 2000), (3, 2000), (1, 2000)]
    assert {block.dtype for block in seen} == {np.dtype(np.float32)}
    expected = np.lib.stride_tricks.sliding_window_view(audio, 2000)[::1000, :2]
    np.testing.assert_array_equal(frames, expected)
    assert transformer.frame_times(2).tolist() == [0.125, 0.25]
    assert transformer.embedding_size_ == 2


def test_whole_waveforms_and_their_rows(waveforms):
    X = waveforms[2:4]
    mean = WHOLE.fit_transform(X)
    assert mean.shape == (2, 3)
    rows = clone(WHOLE).set_params(func=thirds, hop_size=0.5, pooling=None, offset=0.1)
    assert rows.fit_transform(X).shape == (2, 3, 3)
    np.testing.assert_allclose(rows.frame_times(2), [0.35, 0.85])
    assert list(WHOLE.get_feature_names_out()) == [f"function_mean_{i}" for i in range(3)]
    with pytest.raises(InputError, match="set the 'hop_size' parameter"):
        WHOLE.frame_times(1)


def test_the_cache_is_keyed_by_version(waveforms, tmp_path):
    cached = clone(FRAMED).set_params(memory=tmp_path, version="1")
    first = cached.fit_transform(waveforms)
    calls.clear()
    np.testing.assert_array_equal(cached.transform(waveforms), first)
    assert cached.set_params(pooling=("max", "std")).transform(waveforms).shape == (5, 6)
    assert calls == {}
    for change in ({"version": 2}, {"hop_size": 0.1}, {"frame_size": 0.2}, {"target_sr": 4000}):
        before = calls["frames"]
        clone(cached).set_params(**change).fit_transform(waveforms)
        assert calls["frames"] > before + len(waveforms)
    assert clone(cached).set_params(version=np.int64(2)).fit_transform(waveforms).shape == (5, 6)
    with pytest.raises(InputError, match="needs the 'version' parameter"):
        clone(cached).set_params(version=None).fit(waveforms)
    assert clone(FRAMED).set_params(memory=joblib.Memory(None)).fit_transform(waveforms).any()


def test_pickles_and_nameless_functions(waveforms):
    fitted = clone(FRAMED).fit(waveforms)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(waveforms), fitted.transform(waveforms))
    for func in (lambda frames: frames[:, :1], partial(lambda n, frames: frames[:, :n], 1)):
        nameless = clone(FRAMED).set_params(func=func)
        assert nameless.fit_transform(waveforms).shape == (5, 1)
        assert nameless.set_params(n_jobs=2).transform(waveforms).shape == (5, 1)
    assert pickle.loads(pickle.dumps(clone(FRAMED).set_params(func=partial(moments)))).func
    assert copy.deepcopy(FRAMED).func is moments


def test_jobs_are_threads_unless_told_otherwise(waveforms):
    def where(frames):
        threads.add(threading.get_ident())
        return frames[:, :1]

    threads = set()
    alone = clone(FRAMED).set_params(func=where).fit_transform(waveforms)
    spread = clone(FRAMED).set_params(func=where, n_jobs=2).fit_transform(waveforms)
    np.testing.assert_array_equal(spread, alone)
    assert len(threads) >= 2
    largest = clone(FRAMED).set_params(func=partial(np.max, axis=1, keepdims=True))
    with joblib.parallel_config("loky", n_jobs=2):
        processes = largest.fit_transform(waveforms)
    np.testing.assert_array_equal(processes, largest.fit_transform(waveforms))


def test_bad_clips_and_bad_values(paths):
    def nan_where_loud(waveform):
        return np.full(2, np.nan) if np.abs(waveform).max() > 0.3 else np.zeros(2)

    quiet = (np.full(8000, 0.1, np.float32), 8000)
    loud = (np.full(8000, 0.5, np.float32), 8000)
    transformer = clone(WHOLE).set_params(func=nan_where_loud, on_error="nan")
    X = [loud, quiet, "missing.wav", loud, quiet]
    with pytest.warns(FailedClipsWarning, match="3 of 5.*not finite.*does not exist"):
        out = transformer.fit_transform(X)
    np.testing.assert_array_equal(np.isnan(out).all(axis=1), [True, False, True, True, False])
    with pytest.raises(AudioDecodeError, match="Row 0, a waveform: the function returned values"):
        transformer.set_params(on_error="raise").transform(X)
    with pytest.raises(AudioDecodeError, match="does not exist"):
        clone(transformer).fit(["missing.wav"])


def test_what_a_function_raises_is_raised_and_names_the_clip(paths):
    def fail(frames):
        if len(frames) > 1:
            raise RuntimeError("no memory on the device")
        return frames

    with pytest.raises(RuntimeError, match="no memory") as caught:
        clone(FRAMED).set_params(func=fail, on_error="nan").fit_transform(paths)
    assert f"Row 0, {paths[0]!r}" in caught.value.__notes__[0]


def test_a_clip_shorter_than_a_frame_is_filled_and_said():
    with pytest.warns(ShortClipWarning):
        out = FRAMED.fit_transform([np.ones(1000, np.float32)])
    assert out[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"func": 3}, ValueError, "'func' parameter"),
        ({"func": lambda frames: None}, TypeError, r"Got NoneType|Got \(\)"),
        ({"func": lambda frames: "text"}, TypeError, "must return numbers.*Got str"),
        ({"func": lambda frames: frames[0]}, TypeError, r"shape \(1, d\).*Got \(2000,\)"),
        ({"func": lambda frames: frames[None]}, TypeError, r"Got \(1, 1, 2000\)"),
        ({"func": lambda frames: frames[:, :0]}, TypeError, r"Got \(1, 0\)"),
        ({"func": lambda w: np.zeros((0, 3)), "frame_size": None}, TypeError, r"Got \(0, 3\)"),
        ({"func": lambda w: 3.0, "frame_size": None}, TypeError, r"\(d,\).*Got \(\)"),
        ({"frame_size": 1e-6}, ValueError, "'frame_size'.*at least one sample"),
        ({"hop_size": 1e-6}, ValueError, "'hop_size'.*at least one sample"),
        ({"target_sr": 0}, ValueError, "'target_sr'"),
        ({"name": None}, ValueError, "'name'"),
        ({"pooling": "avg"}, ValueError, "'pooling'"),
    ],
)
def test_bad_functions_and_settings(waveforms, changes, error, message):
    with pytest.raises(error, match=message) as caught:
        clone(FRAMED).set_params(**changes).fit(waveforms)
    assert len(str(caught.value)) <= 500


def test_a_function_that_changes_its_mind(waveforms):
    widths = iter([3, 4])
    transformer = clone(FRAMED).set_params(func=lambda frames: frames[:, : next(widths)])
    with pytest.raises(TypeError, match="with d=3, as in fit"):
        transformer.fit_transform(waveforms)


def test_in_a_table(paths, tmp_path):
    with pytest.raises(InputError, match="needs the 'version' parameter"):
        extract(paths, FRAMED, tmp_path / "no.parquet")
    transformer = clone(FRAMED).set_params(version="1", n_jobs=2)
    for frames in (False, True):
        done = extract(paths, transformer, tmp_path / f"{frames}.parquet", frames=frames)
        table = pd.read_parquet(done.path)
        assert done.n_failed == 0
        if not frames:
            columns = list(transformer.fit(paths).get_feature_names_out())
            np.testing.assert_array_equal(table[columns], transformer.transform(paths))
            assert list(table["path"]) == paths
    with pytest.raises(InputError, match="'hop_size'"):
        extract(paths, clone(WHOLE).set_params(version="1"), tmp_path / "x.csv", frames=True)
    assert not list(tmp_path.glob("x.*"))


def test_in_an_evaluation(waveforms):
    rng = np.random.default_rng(0)
    X = [(rng.standard_normal(4000) * (1 + i % 2), 8000) for i in range(12)]
    result = evaluate(
        {"mine": FRAMED},
        {"nb": GaussianNB()},
        X,
        np.array(["soft", "loud"] * 6),
        groups=np.repeat(np.arange(3), 4),
        n_folds=3,
    )
    assert set(result.scores["feature"]) == {"mine"}
    assert result.scores["accuracy"].mean() == 1


def scaled(frames, layer):
    return np.atleast_1d(layer).sum() * np.abs(frames).mean(axis=1, keepdims=True)


@pytest.mark.parametrize("layers", [(1, 3), (np.ones(2000), np.arange(2000))])
def test_partials_of_one_function_have_rows_of_their_own_in_one_cache(tmp_path, layers):
    tone = np.sin(np.arange(8000, dtype=np.float32))
    rows = [
        ClipFunctionTransformer(
            partial(scaled, layer=layer), target_sr=8000, frame_size=0.5, version=1,
            memory=tmp_path,
        ).fit_transform([tone])
        for layer in layers
    ]  # fmt: skip
    ratio = np.sum(layers[1]) / np.sum(layers[0])
    np.testing.assert_allclose(rows[1], ratio * rows[0], rtol=1e-5)


class Scaled:
    def __init__(self, layer):
        self.layer = layer

    def __call__(self, frames):
        return scaled(frames, self.layer)

    def embed(self, frames):
        return self(frames)


def around(layer):
    return lambda frames: scaled(frames, layer)


def notebook(layer):
    """A function of a notebook, with a constant, a helper and an object of its module."""
    main: dict = {"__name__": "__main__"}
    code = f"LAYER = {layer}\ndef embed(frames): return frames * LAYER"
    exec(code, main)
    return main["embed"]


def noting(layer):
    """A setting and notes of the calls, both in lists."""
    settings, seen = [layer], []

    def embed(frames):
        seen.append(len(frames))
        return scaled(frames, settings[0])

    return embed


def outside_of_it(layer):
    """A function of another module, which has its settings in a dictionary there."""
    module: dict = {"__name__": "mine", "SETTINGS": {"layer": layer}}
    exec("def embed(frames): return frames * SETTINGS['layer']", module)
    return module["embed"]


def without_source(layer):
    made: dict = {"__name__": "mine"}
    exec(f"def embed(frames): return frames * {layer}", made)
    return made["embed"]


class Network:
    """As one of PyTorch: its weights are a dict, and its text has its layers."""

    def __init__(self, layer):
        self.text = f"Network({layer})"

    def state_dict(self):
        return {"weight": np.ones(3)}

    def __repr__(self):
        return self.text


@pytest.mark.parametrize(
    "make",
    [
        Scaled,
        noting,
        outside_of_it,
        without_source,
        lambda layer: around(Network(layer)),
        lambda layer: Scaled(layer).embed,
        lambda layer: partial(Scaled(layer).embed),
        lambda layer: partial(partial(scaled, layer=layer)),
        around,
        lambda layer: around(np.arange(layer)),
        lambda layer: around(Scaled(layer)),
        lambda layer: around({layer, "a", "b"}),
        lambda layer: around(Path(f"{layer}.onnx")),
        lambda layer: lambda frames, layer=layer: scaled(frames, layer),
        notebook,
    ],
)
def test_what_a_function_holds_is_in_its_key(make):
    keys = [function_key(make(layer)) for layer in (1, 1, 3)]
    assert keys[0] == keys[1] != keys[2]


def test_what_a_function_notes_of_its_calls_is_not_in_its_key():
    seen = []

    def embed(frames):
        seen.append(len(frames))
        calls["frames"] += 1
        return frames

    before = function_key(embed)
    embed([1])
    assert function_key(embed) == before


def test_the_key_of_a_function_of_the_main_module():
    """It is the same in a worker, which has no source of it, and another one for other code."""
    code = "class Level:\n    def __call__(self, w):\n        return w.max() {} (1 if w in {{'a', 'b'}} else 2)"
    keys = []
    for operator in "++-":
        main = {"__name__": "__main__"}
        exec(code.format(operator), main)
        keys.append(function_key(main["Level"]()))
    assert keys[0] == keys[1] != keys[2]

"""Every form of X means the same clips; everything else is one sentence."""

import array
import io
import os
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import soundfile
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_union

from skmer import MFCCStatsTransformer
from skmer.audio import Segment
from skmer.exceptions import AudioDecodeError, InputError, TruncatedClipWarning
from skmer.utils import ClipCache


@pytest.fixture(scope="module")
def expected(paths):
    return MFCCStatsTransformer().fit_transform(paths)


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        np.array,
        lambda paths: np.array(paths, dtype=object),
        lambda paths: [Path(path) for path in paths],
        lambda paths: pd.Series(paths, index=list("vwxyz")),
        pl.Series,
        pd.Index,
        pa.array,
    ],
)
def test_sequences_of_paths(paths, expected, form):
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(form(paths)), expected)


@pytest.mark.parametrize(
    "form",
    [
        lambda paths: pd.DataFrame({"path": paths}),
        lambda paths: pd.DataFrame({"path": pd.Categorical(paths)}),
        lambda paths: pl.DataFrame({"clip": paths}),
        lambda paths: pa.table({"path": paths}),
        lambda paths: np.array(paths).reshape(-1, 1),
        lambda paths: np.array(paths, dtype=object).reshape(-1, 1),
        lambda paths: [[path] for path in paths],
        lambda paths: [(Path(path),) for path in paths],
        lambda paths: list(np.array(paths, dtype=object).reshape(-1, 1)),
    ],
)
def test_tables_of_one_column(paths, expected, form):
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(form(paths)), expected)


def test_one_column_in_the_tools_of_scikit_learn(paths, expected):
    frame = pd.DataFrame({"path": paths, "year": range(5)})
    columns = make_column_transformer((MFCCStatsTransformer(), ["path"]))
    np.testing.assert_array_equal(columns.fit_transform(frame), expected)


@pytest.mark.parametrize(
    "form",
    [
        lambda cut: [Segment(path, start, end) for path, start, end in cut],
        lambda cut: cut,
        lambda cut: [list(one) for one in cut],
        lambda cut: [dict(zip(("path", "start", "end"), one)) for one in cut],
        lambda cut: [
            (path, timedelta(seconds=a), np.timedelta64(int(1e9 * b), "ns")) for path, a, b in cut
        ],
        lambda cut: pd.DataFrame(cut, columns=["file", "start", "end"])[["end", "file", "start"]],
        lambda cut: pl.DataFrame(cut, schema=["path", "start", "end"], orient="row"),
        # As audformat's tables have them.
        lambda cut: pd.MultiIndex.from_tuples(
            [(p, pd.Timedelta(a, "s"), pd.Timedelta(b, "s")) for p, a, b in cut]
        ),
        lambda cut: np.array([(p, str(pd.Timedelta(a, "s")), b) for p, a, b in cut], dtype=object),
    ],
)
def test_segments_are_parts_of_files(paths, form):
    cut = [(path, 0.25 * i, 0.25 * i + 0.5) for path in paths[:2] for i in range(2)]
    whole = [
        MFCCStatsTransformer(offset=start, duration=end - start).fit_transform([path])[0]
        for path, start, end in cut
    ]
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(form(cut)), whole)


@pytest.mark.parametrize(
    "end", [pd.NA, pd.NaT, np.nan, np.timedelta64("NaT", "s"), "NA", "", np.inf]
)
def test_a_missing_end_is_that_of_the_file(end):
    assert Segment("a.wav", 1, end) == Segment("a.wav", 1)
    with pytest.raises(InputError, match="must have a start of 0 or more"):
        Segment("a.wav", end)


def test_segments_in_the_cache(paths, tmp_path):
    """A part has an entry of its own, which is that of a transformer with its offset."""
    segments = [Segment(paths[0], 0.0, 0.5), Segment(paths[0], 0.5), paths[0], Segment(paths[0])]
    mfcc = MFCCStatsTransformer(memory=tmp_path)
    rows = mfcc.fit_transform(segments)
    assert len(ClipCache(tmp_path)) == 3
    np.testing.assert_array_equal(rows, MFCCStatsTransformer().fit_transform(segments))
    np.testing.assert_array_equal(rows[2], rows[3])
    mfcc.set_params(offset=0.5).fit_transform([paths[0]])
    assert len(ClipCache(tmp_path)) == 3
    # The part that a transformer takes is a part of the segment.
    part = MFCCStatsTransformer(offset=0.2, duration=0.5)
    given = part.fit_transform([(paths[2], 0.3, 0.9), (paths[2], 0.3, 2.0)])
    cut = MFCCStatsTransformer(offset=0.5, duration=0.4).fit_transform(paths[2:3])
    shifted = MFCCStatsTransformer(offset=0.5, duration=0.5).fit_transform(paths[2:3])
    np.testing.assert_array_equal(given, np.concatenate([cut, shifted]))
    with pytest.raises(
        AudioDecodeError, match=r"from 0.1 to 0.2 s: the segment ends before offset"
    ):
        part.fit_transform([Segment(paths[0], 0.1, 0.2)])
    with pytest.raises(AudioDecodeError, match="the clip ends before offset"):
        mfcc.fit_transform([Segment(paths[0], 1000)])


def test_a_segment_that_ends_after_its_file(paths):
    """Milliseconds in place of seconds are no seconds; those of a table that rounds may be."""
    with pytest.warns(TruncatedClipWarning, match=r"or its segment does.*read: Row 1, [^;]*$"):
        MFCCStatsTransformer().fit_transform([(paths[4], 0, 1.05), (paths[4], 0, 1.2)])


class Decoder:
    """What `datasets` 4 and 5 give of a column of audio: no mapping, and no length."""

    def __init__(self, audio, sr):
        self.content = {"array": audio, "sampling_rate": sr}

    def __getitem__(self, key):
        return self.content[key]


class Torchcodec:
    """torchcodec's decoder: channels first."""

    def __init__(self, audio, sr):
        self.samples = SimpleNamespace(data=Tensor(np.stack([audio, audio])), sample_rate=sr)

    def get_all_samples(self):
        return self.samples


def test_audio_of_datasets_and_open_sound_files(paths, waveforms, expected):
    mfcc = MFCCStatsTransformer()
    content = Path(paths[1]).read_bytes()
    with soundfile.SoundFile(paths[4]) as opened:
        opened.seek(100)
        X = [
            {"bytes": None, "path": paths[0]},
            {"bytes": content, "path": None},
            {"array": waveforms[2][0], "sampling_rate": np.array(waveforms[2][1])},
            Torchcodec(*waveforms[3]),
            opened,
        ]
        np.testing.assert_allclose(mfcc.fit_transform(X), expected, rtol=1e-5, atol=1e-4)
        assert opened.tell() == 100
    X = [Decoder(*one) for one in waveforms]
    np.testing.assert_allclose(mfcc.fit_transform(X), expected, rtol=1e-5, atol=1e-4)
    bad = Decoder(*waveforms[0])
    del bad.content["array"]
    # A file that is closed, and one that its decoder cannot read, are rows as others are.
    with pytest.warns(UserWarning, match="2 of 3 clips .*a Decoder: decoding failed"):
        rows = MFCCStatsTransformer(on_error="nan").fit_transform([bad, X[1], opened])
    assert np.isnan(rows).all(axis=1).tolist() == [True, False, True]


def test_pairs_and_channels(waveforms, expected):
    mfcc = MFCCStatsTransformer()
    np.testing.assert_array_equal(mfcc.fit_transform(waveforms), expected)
    # As scipy.io.wavfile and gradio have it.
    np.testing.assert_array_equal(mfcc.fit_transform([one[::-1] for one in waveforms]), expected)
    stereo = [(np.stack([audio, audio], axis=1), sr) for audio, sr in waveforms]
    np.testing.assert_array_equal(mfcc.fit_transform(stereo), expected)


def test_bare_waveforms_have_the_rate_of_sr(waveforms):
    audio, sr = waveforms[0]
    by_pair = MFCCStatsTransformer().fit_transform([(audio, sr)])
    np.testing.assert_array_equal(MFCCStatsTransformer(sr=sr).fit_transform([audio]), by_pair)
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform([audio]), by_pair)
    other = MFCCStatsTransformer(sr=48000).fit_transform([audio])
    assert not np.allclose(other, by_pair)


def test_a_matrix_has_one_clip_a_row(waveforms):
    matrix = np.stack([audio[:8000] for audio, _ in waveforms])
    mfcc = MFCCStatsTransformer().fit(matrix)
    assert mfcc.n_features_in_ == 8000
    np.testing.assert_array_equal(mfcc.transform(matrix), mfcc.transform(list(matrix)))
    with pytest.raises(ValueError, match="7999 features, but MFCCStatsTransformer is expecting"):
        mfcc.transform(matrix[:, 1:])


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integer_pcm(waveforms, dtype):
    audio = waveforms[0][0]
    pcm = (audio * np.iinfo(dtype).max).astype(dtype)
    mfcc = MFCCStatsTransformer()
    close = mfcc.fit_transform([pcm])
    np.testing.assert_allclose(close, mfcc.fit_transform([audio]), rtol=0.05, atol=0.5)
    np.testing.assert_array_equal(mfcc.fit_transform(pcm[None]), close)


def test_in_a_column_transformer_and_a_union(paths, expected):
    frame = pd.DataFrame({"path": paths, "year": range(5)})
    columns = make_column_transformer((MFCCStatsTransformer(), "path"), ("passthrough", ["year"]))
    out = columns.fit_transform(frame)
    np.testing.assert_allclose(out[:, :120], expected)
    assert out[:, 120].tolist() == [0, 1, 2, 3, 4]
    union = make_union(MFCCStatsTransformer(), MFCCStatsTransformer(statistics=("max",), deltas=0))
    assert union.fit_transform(paths).shape == (5, 140)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_out(paths, expected, library):
    mfcc = MFCCStatsTransformer().set_output(transform=library)
    frame = mfcc.fit_transform(paths)
    assert list(frame.columns) == list(mfcc.get_feature_names_out())
    assert frame.columns[0] == "mfcc_mean_0"
    np.testing.assert_array_equal(frame.to_numpy(), expected)


class Tensor:
    """What a tensor of another library has that matters here."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return Tensor(self.values[index])

    @property
    def shape(self):
        return self.values.shape


@pytest.mark.parametrize(
    "form",
    [
        lambda audio, sr: (Tensor(audio), sr),
        lambda audio, sr: [audio, np.int64(sr)],
        lambda audio, sr: (audio.tolist(), float(sr)),
        lambda audio, sr: (array.array("f", audio.tolist()), sr),
        lambda audio, sr: (memoryview(audio), sr),
        lambda audio, sr: {"array": audio, "sampling_rate": sr, "path": None},
        lambda audio, sr: MappingProxyType({"array": Tensor(audio), "sampling_rate": sr}),
        lambda audio, sr: (np.ma.masked_array(audio), sr),
    ],
)
def test_a_clip_is_what_numpy_takes(waveforms, expected, form):
    rows = MFCCStatsTransformer().fit_transform([form(*clip) for clip in waveforms])
    np.testing.assert_allclose(rows, expected, rtol=1e-5, atol=1e-4)


def test_waveforms_of_other_libraries_without_a_rate(waveforms):
    audio = [clip[0][:8000] for clip in waveforms]
    mfcc = MFCCStatsTransformer()
    rows = mfcc.fit_transform(audio)
    np.testing.assert_array_equal(mfcc.fit_transform([Tensor(one) for one in audio]), rows)
    np.testing.assert_array_equal(mfcc.fit_transform(Tensor(np.stack(audio))), rows)
    # Lists hold Python's numbers, which are taken as float64; the clips have any length.
    lists = [one.tolist() for one in [audio[0], audio[1][:5000]]]
    pairs = [np.array(one) for one in lists]
    np.testing.assert_array_equal(mfcc.fit_transform(lists), mfcc.fit_transform(pairs))


@pytest.mark.parametrize("written", [False, True])
def test_open_files(paths, expected, tmp_path, written):
    contents = [Path(path).read_bytes() for path in paths]
    files = [io.BytesIO(content) for content in contents]
    if written:
        for file in files:
            file.seek(0, io.SEEK_END)
    mfcc = MFCCStatsTransformer(memory=tmp_path)
    np.testing.assert_array_equal(mfcc.fit_transform(files), expected)
    assert {file.tell() == 0 for file in files} == {not written}
    named = list(zip(paths, files))
    np.testing.assert_array_equal(mfcc.fit_transform(named), expected)
    # The same content is the same clip, wherever it comes from.
    mfcc.fit_transform(paths)
    assert len(list(tmp_path.rglob("*.clip"))) == len(paths)
    with open(paths[0], "rb") as file:
        np.testing.assert_array_equal(mfcc.fit_transform([file]), expected[:1])
    with pytest.raises(AudioDecodeError, match="Row 1, an open file: "):
        mfcc.fit_transform([files[0], io.BytesIO(b"no audio")])


def test_home_is_found(paths, expected, monkeypatch):
    monkeypatch.setenv("HOME", str(Path(paths[0]).parent))
    X = [f"~/{Path(path).name}" for path in paths]
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(X), expected)
    with pytest.raises(AudioDecodeError, match=r"'~\$song.wav': the file does not exist"):
        MFCCStatsTransformer().fit_transform(["~$song.wav"])


WAVE = np.zeros(9)
# As tables of audformat and opensmile have it.
INDEX = pd.MultiIndex.from_tuples([("a.wav", 0, 1)], names=["file", "start", "end"])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("song.wav", ValueError, r"Got 'song.wav'; for one clip write \[path\]"),
        (Path("song.wav"), ValueError, r"for one clip write \[path\]"),
        ("x" * 10**6, ValueError, r"Got 'xxx"),
        ([], ValueError, "0 samples"),
        (np.ones(8000), ValueError, "Reshape your data"),
        ([0.1] * 8000, TypeError, "Row 0 .* got 0.1 of type float"),
        (np.ones((2, 8000, 2)), ValueError, "Found array with dim 3"),
        ([["1", "2"]], TypeError, "a clip must be a path, .* got .*'1', '2'"),
        ({"array": WAVE, "sampling_rate": 8000}, TypeError, "Got a dict; write a list"),
        (io.BytesIO(), TypeError, "Got a BytesIO; write a list"),
        ((path for path in ["a.wav"]), TypeError, "Got a generator; write a list"),
        ((WAVE, 8000), TypeError, "Row 1 .* got 8000 of type int"),
        (np.array([["a.wav", "b.wav"]]), ValueError, "not compatible with .*strings"),
        (["a.wav", None], TypeError, "Row 1 of X of MFCCStatsTransformer: .*must be a path.*None"),
        ([b"a.wav"], TypeError, "Row 0 .* got b'a.wav' of type bytes"),
        ([(WAVE, 0)], ValueError, "sr of a .* at least 1 Hz, got 0"),
        ([(WAVE, np.nan)], ValueError, "sr of a .* at least 1 Hz, got nan"),
        ([(WAVE, True)], ValueError, "sr of a .* at least 1 Hz, got True"),
        ([(WAVE, 44100.5)], ValueError, "sr of a .* at least 1 Hz, got 44100.5"),
        ([("44100", WAVE)], TypeError, "Row 0 .* numpy cannot make an array of"),
        ([{"array": WAVE, "sampling_rate": None}], ValueError, "at least 1 Hz, got None"),
        ([{"audio": {"array": WAVE}}], TypeError, r"\['audio'\]; of a dataset pass the column"),
        ([{"path": "a", "onset": 1}], ValueError, "'start' and 'end', or .* got 'onset'"),
        (pd.Series(["x"], INDEX), ValueError, "must not be in its index, which has file, start"),
        (pd.DataFrame({"y": [1.0]}, INDEX), ValueError, "pass X.index instead"),
        (
            [{"array": WAVE}],
            TypeError,
            "Row 0 .* 'array' and 'sampling_rate', or 'bytes' or 'path', got",
        ),
        ([io.StringIO("text")], TypeError, "Row 0 .* open it with mode 'rb'"),
        ([["a"] * 10**5], TypeError, "Row 0 .* of type list"),
        (pd.DataFrame({"path": ["a"], "b": ["c"]}), ValueError, "must have one column, or those"),
        (pl.DataFrame({"path": ["a"], "b": [1]}), ValueError, "Got path, b; give the column"),
        ([("a.wav", 2, 1)], ValueError, "Row 0 .*end after it.*start=2 and end=1 of a.wav"),
        ([("a.wav", -1, 1)], ValueError, "start of 0 or more"),
        ([("a.wav", pd.NaT, 1)], ValueError, "start of 0 or more"),
        ([("a.wav", 0, "soon")], ValueError, "in seconds or as timedeltas.*end=soon"),
        (np.ma.masked_equal([[0.0, 1.0]], 0), ValueError, "masked values; fill them"),
        (None, ValueError, "scalar array"),
    ],
)
def test_other_things(X, error, message):
    with pytest.raises(error, match=message) as caught:
        MFCCStatsTransformer().fit(X)
    if not message.startswith(("scalar", "Expected 2D")):
        assert len(str(caught.value)) <= 500


def test_a_closed_file_and_one_that_cannot_be_wound_back(paths):
    with open(paths[0], "rb") as closed:
        pass
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb"):
        for file in (closed, pipe):
            with pytest.raises(ValueError, match="open for reading and seekable"):
                MFCCStatsTransformer().fit([file])


@pytest.mark.parametrize("memory", [False, True])
def test_masked_samples_are_no_zeros(waveforms, tmp_path, memory):
    audio = np.array(waveforms[0][0])
    mfcc = MFCCStatsTransformer(memory=tmp_path if memory else None).fit([audio])
    mfcc.transform([audio])
    with pytest.raises(AudioDecodeError, match="samples are masked"):
        mfcc.transform([np.ma.masked_array(audio, np.arange(len(audio)) == 3)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", np.inf),
        ("offset", np.nan),
        ("duration", np.inf),
    ],
)
def test_numbers_that_are_none(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of MFCCStatsTransformer"):
        MFCCStatsTransformer(**{name: value}).fit(["a.wav"])


def test_nan_in_a_waveform_and_in_a_matrix():
    bad = np.array([0.0, np.nan, 0.0])
    with pytest.raises(AudioDecodeError, match="Row 1, a waveform: sample 1 is nan") as caught:
        MFCCStatsTransformer().fit_transform([np.ones(3), bad])
    assert caught.value.row == 1
    with pytest.raises(ValueError, match="Input X contains NaN"):
        MFCCStatsTransformer().fit(np.stack([bad, bad]))

"""Numbers of numpy in few bits, and tables that hold no waveforms."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.audio import Framing, read_audio, stream_audio
from skmer.exceptions import InputError, InputTypeError

NOISE = 0.1 * np.random.default_rng(0).standard_normal(6 * 16000).astype(np.float32)


def rms(frames):
    return np.sqrt(np.square(frames).mean(axis=1, keepdims=True))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", NOISE, 16000, subtype="FLOAT")
    return tmp_path


# 5 s at 16 kHz are 80,000 samples: more than 16 bits hold.
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.uint64])
def test_numbers_of_numpy_are_numbers(folder, kind):
    plain = read_audio("a.wav", offset=5, duration=1)[0]
    assert np.array_equal(read_audio("a.wav", offset=kind(5), duration=kind(1))[0], plain)
    pair = (NOISE, 16000)
    part = list(stream_audio(pair, sr=16000, offset=kind(5), duration=kind(1)))
    assert np.array_equal(np.concatenate(part), plain)
    assert Framing(kind(200), kind(100)).n_frames(96000) == 959
    blocks = Framing(kind(200), kind(100)).blocks([NOISE], size=kind(255))
    assert sum(map(len, blocks)) == 959
    for few, many in (
        (
            MFCCStatsTransformer(offset=kind(5), duration=kind(1), hop_length=kind(200)),
            MFCCStatsTransformer(offset=5, duration=1, hop_length=200),
        ),
        (
            ClipFunctionTransformer(
                rms, target_sr=16000, frame_size=kind(2), hop_size=kind(1), batch_size=kind(3)
            ),
            ClipFunctionTransformer(rms, target_sr=16000, frame_size=2, hop_size=1, batch_size=3),
        ),
    ):
        assert np.array_equal(few.fit_transform([pair]), many.fit_transform([pair]))
        assert np.array_equal(few.frame_times(9), many.frame_times(9))


@pytest.mark.parametrize(
    "odd",
    [
        lambda table: table + 1j,
        lambda table: table.to_numpy() + 1j,
        lambda table: table.to_numpy().astype("datetime64[s]"),
        lambda table: table.astype("Float64").mask(table > 0),
        lambda table: table.rename(columns={0: "a"}),
        lambda table: np.zeros(3, dtype=[("a", "f4")]),
    ],
)
def test_tables_that_are_no_waveforms_are_told_of_in_one_sentence(odd):
    table = pd.DataFrame(0.1 * np.random.default_rng(0).standard_normal((3, 4000)))
    with pytest.raises((InputError, InputTypeError)) as caught:
        MFCCStatsTransformer().fit(odd(table))
    assert len(str(caught.value)) <= 500
    assert "\n" not in str(caught.value)


def test_columns_of_one_name_twice_are_samples_all_the_same_or_one_sentence():
    table = pd.DataFrame(0.1 * np.random.default_rng(0).standard_normal((3, 4000)))
    twice = table.set_axis(["a"] * 4000, axis=1)
    try:
        of_twice = MFCCStatsTransformer().fit_transform(twice)
    except InputError as error:
        # Of newer versions of scikit-learn.
        assert "unique column names" in str(error)  # noqa: PT017
    else:
        np.testing.assert_array_equal(of_twice, MFCCStatsTransformer().fit_transform(table))

"""The front-ends against librosa, against constructions written down again, and by their laws."""

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skmer.audio import l3_spectrogram, musicnn_log_mel, vggish_log_mel
from skmer.audio.spectra import mel_bank
from skmer.embeddings.l3 import FRONTENDS, INPUT_SHAPES
from skmer.embeddings.mfcc import mel_power_columns, mfcc_deltas, mfcc_from_mel


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    tones = np.sin(2 * np.pi * np.outer([110, 3520, 15000], np.arange(48000)) / 48000)
    return (tones * 0.3 + 0.01 * rng.standard_normal(tones.shape)).astype(np.float32)


def decibels(level):
    level = 10 * np.log10(np.maximum(level, 1e-10))
    return np.maximum(level - level.max(), -80)


def with_librosa(frame, input_repr, frontend):
    """One frame by librosa alone, as openl3 or its 2019 version would have it."""
    if input_repr == "linear":
        return decibels(np.abs(librosa.stft(frame, n_fft=512, hop_length=242, center=False)))
    before, after = {"kapre": (0, 1964), "librosa": (1024, 1024), "trained": (982, 982)}[frontend]
    padded = np.pad(frame, (before, after))
    spectrum = np.abs(librosa.stft(padded, n_fft=2048, hop_length=242, center=False))
    trained = frontend == "trained"
    bank = librosa.filters.mel(sr=48000, n_fft=2048, n_mels=int(input_repr[3:]), htk=trained)
    return decibels(np.sqrt(bank @ spectrum**2) if trained else bank @ spectrum)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize("input_repr", INPUT_SHAPES)
def test_l3_against_librosa(frames, input_repr, frontend):
    spectrogram = l3_spectrogram(frames, input_repr=input_repr, frontend=frontend)
    assert spectrogram.shape == (3, *INPUT_SHAPES[input_repr])
    assert spectrogram.dtype == np.float32
    for frame, ours in zip(frames, spectrogram):
        expected = with_librosa(frame, input_repr, frontend)
        # kapre computes in float32, whose rounding shows far below the loudest cell.
        is_audible = expected > (-45 if frontend == "kapre" else -81)
        assert is_audible.mean() > 0.9
        np.testing.assert_allclose(ours[is_audible], expected[is_audible], atol=5e-3)


def test_the_three_front_ends_differ_by_what_was_published():
    noise = np.random.default_rng(0).standard_normal((1, 48000)).astype(np.float32)
    made = {name: l3_spectrogram(noise, frontend=name) for name in FRONTENDS}
    assert np.abs(made["kapre"] - made["librosa"]).mean() > 0.5
    assert np.abs(made["trained"] - made["librosa"]).mean() > 0.5


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_l3_frames_do_not_see_each_other(frames, frontend):
    together = l3_spectrogram(np.concatenate([frames, frames]), frontend=frontend)
    alone = np.concatenate([l3_spectrogram(frame[None], frontend=frontend) for frame in frames])
    np.testing.assert_array_equal(together[3:], alone)


@settings(deadline=None, max_examples=20)
@given(gain=st.floats(1e-3, 1e3), frontend=st.sampled_from(FRONTENDS))
def test_l3_does_not_hear_loudness(gain, frontend):
    noise = np.random.default_rng(3).standard_normal((1, 48000)).astype(np.float32)
    quiet = l3_spectrogram(noise, input_repr="mel128", frontend=frontend)
    loud = l3_spectrogram(np.float32(gain) * noise, input_repr="mel128", frontend=frontend)
    np.testing.assert_allclose(loud, quiet, atol=1e-3)


def test_l3_is_between_minus_80_and_0_and_silence_is_0(frames):
    spectrogram = l3_spectrogram(frames)
    assert spectrogram.min() >= -80
    assert (spectrogram.max(axis=(1, 2)) == 0).all()
    assert (l3_spectrogram(np.zeros((1, 48000), np.float32)) == 0).all()


def test_vggish_gives_the_published_check():
    sine = np.sin(2 * np.pi * 1000 * np.arange(0, 3, 1 / 16000))
    frames = np.stack([sine[i * 15360 : i * 15360 + 15600] for i in range(3)])
    log_mel = vggish_log_mel(frames)
    assert log_mel.shape == (3, 96, 64)
    assert log_mel.mean() == pytest.approx(-3.429619, abs=2e-6)
    assert log_mel.std() == pytest.approx(2.126577, abs=2e-6)
    assert log_mel.min() == pytest.approx(-4.601163, abs=2e-5)
    assert log_mel.max() == pytest.approx(4.811118, abs=2e-6)
    np.testing.assert_allclose(
        log_mel[0, 0, :8],
        [-4.483133, -4.270834, -4.170643, -4.237706, -4.475020, -4.145590, -3.943652, -4.038893],
        atol=2e-5,
    )


@pytest.mark.parametrize("n_samples", [1, 400, 5000, 22050, 200001])
@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
def test_mfcc_is_librosas(n_samples):
    audio = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    audio[: n_samples // 3] *= 1e-4
    expected = librosa.feature.mfcc(y=audio, sr=22050)
    mel = mel_power_columns(
        np.array_split(audio, 3), sr=22050, n_fft=2048, hop_length=512, n_mels=128
    )
    mfcc = mfcc_from_mel(mel, n_mfcc=20)
    np.testing.assert_allclose(mfcc.T, expected, atol=1e-6 * np.abs(expected).max() + 1e-3)
    if len(mfcc) >= 9:
        for order in (1, 2):
            np.testing.assert_allclose(
                mfcc_deltas(mfcc, order=order).T,
                librosa.feature.delta(expected, order=order),
                atol=1e-3,
            )
    else:
        assert np.isfinite(mfcc_deltas(mfcc, order=2)).all()


def musicnn_columns(audio, cuts=()):
    return np.concatenate(list(musicnn_log_mel(np.split(audio, sorted(cuts)))))


@given(
    n_samples=st.one_of(st.integers(1, 1200), st.integers(1, 70000)),
    cuts=st.lists(st.integers(0, 70000), max_size=4),
)
@settings(max_examples=50)
@pytest.mark.filterwarnings("ignore:n_fft=512 is too large")
def test_musicnn_is_librosas_mirrored_at_the_ends(n_samples, cuts):
    audio = np.random.default_rng(n_samples).standard_normal(n_samples).astype(np.float32)
    mel = librosa.feature.melspectrogram(
        y=audio, sr=16000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    )
    columns = musicnn_columns(audio, cuts)
    assert columns.dtype == np.float32
    np.testing.assert_allclose(columns, np.log10(10000 * mel + 1).T, rtol=1e-4, atol=5e-5)
    np.testing.assert_array_equal(columns, musicnn_columns(audio))


def test_musicnn_of_silence_and_of_nothing_is_0():
    assert (musicnn_columns(np.zeros(600, np.float32)) == np.zeros((3, 96))).all()
    assert (musicnn_columns(np.zeros(0, np.float32)) == np.zeros((1, 96))).all()


def test_musicnn_does_not_overflow_where_the_music_is_loud():
    loud = np.full(4000, 1e4, np.float32)
    loud[::2] *= -1
    assert np.isfinite(musicnn_columns(loud)).all()


def test_musicnn_against_the_published_code(shared):
    folder = shared / "golden" / "musicnn"
    with np.load(folder / "expected.npz") as expected:
        for clip in ("mono_16k", "stereo_44k", "exact_16k"):
            audio, sr = soundfile.read(folder / f"{clip}.wav", always_2d=True)
            audio = audio.mean(axis=1)
            if sr != 16000:
                audio = soxr.resample(audio, sr, 16000, quality="HQ")
            columns = musicnn_columns(audio.astype(np.float32))
            wanted = expected[f"{clip}|log_mel_first_patch"]
            np.testing.assert_allclose(columns[:187], wanted, atol=1e-5, err_msg=clip)


@pytest.mark.filterwarnings("ignore:Empty filters")
@given(
    sr=st.sampled_from([1500, 8000, 16000, 22050, 44100, 47999, 48000]),
    n_fft=st.sampled_from([2, 255, 256, 512, 2048]),
    n_mels=st.integers(1, 256),
    scale=st.sampled_from(["slaney", "htk"]),
)
# The settings of MFCC, MusiCNN and L3-Net.
@example(22050, 2048, 128, "slaney")
@example(16000, 512, 96, "slaney")
@example(48000, 2048, 128, "slaney")
@example(48000, 2048, 256, "slaney")
@example(48000, 2048, 128, "htk")
@example(48000, 2048, 256, "htk")
@settings(max_examples=30)
def test_mel_banks_have_the_bits_of_librosas(sr, n_fft, n_mels, scale):
    expected = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, htk=scale == "htk")
    bank = mel_bank(sr, n_fft, n_mels, scale)
    np.testing.assert_array_equal(bank, expected, strict=True)

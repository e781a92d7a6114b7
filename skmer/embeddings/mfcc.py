"""MFCC statistics of clips: the baseline without a network."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Annotated

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from skmer.audio import framing
from skmer.audio.spectra import mel_power_blocks, mel_product, periodic_hann
from skmer.embeddings import base, recipe, registry
from skmer.utils import estimators, messages

_FLOOR, _RANGE_DB = 1e-10, 80
_DELTA_WIDTH = 9
_K = np.arange(_DELTA_WIDTH) - _DELTA_WIDTH // 2
# Savitzky-Golay: the first (second) derivative of the line (parabola) fitted to nine columns. By
# hand, since rows from the cache need nothing else of scipy.signal, which has the filter that
# librosa takes: equal to 1e-7 of the scale, as fast, and its import takes 1.4 s of processor time.
_DELTA_FILTERS = {1: _K / 60, 2: (_K**2 - 20 / 3) / 154}


def mel_power_columns(waveform, *, sr: int, n_fft: int, hop_length: int, n_mels: int):
    """Return the mel power of a waveform in blocks, (n_columns, n_mels), centred as librosa does.

    The bands are Slaney's, from 0 to ``sr / 2``; there are ``1 + n_samples // hop_length`` columns.
    """
    silence = np.zeros(n_fft // 2, np.float32)
    padded = chain([silence], framing.check_blocks(waveform), [silence])
    window, product = periodic_hann(n_fft, np.float32), mel_product(sr, n_fft, n_mels, "slaney")
    return np.concatenate(list(mel_power_blocks(padded, window, hop_length, product)))


def mfcc_from_mel(mel: np.ndarray, *, n_mfcc: int) -> np.ndarray:
    """Return the cepstral coefficients of mel power, (n_columns, n_mfcc), as librosa has them.

    The orthonormal DCT-II of the level in dB, floored 80 dB below the clip's maximum.
    """
    # librosa.power_to_db in two lines, without the import; the DCT is scipy's, as in librosa.
    level = 10 * np.log10(np.maximum(mel, _FLOOR))
    level = np.maximum(level, level.max() - _RANGE_DB)
    return scipy.fft.dct(level, axis=1, type=2, norm="ortho")[:, :n_mfcc]


def mfcc_deltas(mfcc: np.ndarray, *, order: int) -> np.ndarray:
    """Return smoothed first or second differences over time, of the shape of `mfcc`.

    At the ends a polynomial is fitted, as librosa does; a clip of fewer than nine columns is
    continued by its first and last one instead.
    """
    half = _DELTA_WIDTH // 2
    short = len(mfcc) < _DELTA_WIDTH
    padded = np.pad(mfcc, ((half, half), (0, 0)), mode="edge") if short else mfcc
    delta = sliding_window_view(padded, _DELTA_WIDTH, axis=0) @ _DELTA_FILTERS[order]
    if not short:
        # The fitted polynomial's highest derivative is the same all over its window.
        delta = np.pad(delta, ((half, half), (0, 0)), mode="edge")
    return delta.astype(mfcc.dtype, copy=False)


@dataclass(frozen=True, kw_only=True)
class MFCCRecipe(recipe.Recipe):
    """Clip -> columns of coefficients, and differences where they are summarised."""

    n_mfcc: int
    deltas: int
    n_fft: int
    hop_length: int
    n_mels: int
    kind = "mfcc"
    decisive = ("n_mfcc", "n_fft", "hop_length", "n_mels")

    def compute(self, waveform, n_threads):
        notes: set[str] = set()
        noted = recipe.note_short(waveform, self.n_fft, notes)
        options = {"n_fft": self.n_fft, "hop_length": self.hop_length, "n_mels": self.n_mels}
        mel = mel_power_columns(noted, sr=self.sr, **options)
        return mfcc_from_mel(mel, n_mfcc=self.n_mfcc), notes

    def finish(self, frames):
        if self.pooling is None:
            return frames
        orders = [mfcc_deltas(frames, order=order) for order in range(1, self.deltas + 1)]
        return super().finish(np.concatenate([frames, *orders], axis=1))


@estimators.estimator
class MFCCStatsTransformer(base.BaseClipTransformer):
    """Summarise clips by statistics of their mel-frequency cepstral coefficients.

    By default 20 coefficients, their first and second differences, and the mean and standard
    deviation of each over time: 120 columns. The numbers are librosa's.

    Parameters
    ----------
    sr : int, default=None
        Rate of waveforms given without one [Hz], at most 768000; None = `target_sr`.
    offset : float, default=0.0
        Where to start in each clip [s].
    duration : float, default=None
        How much of each clip to use [s]; None = all of it.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder of the cache: the coefficients of every clip are computed once, for any fold,
        statistics, classifier and process.
    n_jobs : int, default=None
        Number of threads over clips, as in joblib; obeys `joblib.parallel_config`.
    on_error : {"raise", "nan"}, default="raise"
        What a clip that cannot be read does: raise `AudioDecodeError`, or become a row of NaN
        with one warning for all of them.
    resampler : {"soxr_hq", "kaiser_best"}, default="soxr_hq"
        How clips of another rate are brought to that of the network: by soxr, or by resampy's
        filter, as openl3 and VGGish have it (extra ``skmer[resampy]``).
    verbose : bool, default=False
        Show a progress bar over clips.
    n_mfcc : int, default=20
        Number of coefficients, at most `n_mels`.
    deltas : {0, 1, 2}, default=2
        Orders of differences over time that are added before the statistics.
    statistics : tuple of {"mean", "std", "max", "min"}, or None, default=("mean", "std")
        Statistics over time, concatenated in this order. None: the coefficients themselves, as
        an array of shape (n_clips, n_frames, n_mfcc), without differences.
    target_sr : int, default=22050
        Rate that clips are resampled to [Hz], at most 768000.
    n_fft : int, default=2048
        Window, 2 to 65536 [samples].
    hop_length : int, default=512
        Samples between two columns, 1 to 2**24.
    n_mels : int, default=128
        Mel bands under the coefficients, at most 2048.
    n_frames : int, default=None
        With ``statistics=None``: pad (with zeros, at the end) or cut every clip to so many
        columns, at most a million; None = as many as the longest clip has.

    Attributes
    ----------
    embedding_size_ : int
        Coefficients a column.
    n_features_in_ : int
        Samples a clip; only where X was a 2-D array.

    See Also
    --------
    L3Transformer, VGGishTransformer : The deep embeddings.

    Notes
    -----
    X is as of `L3Transformer`.

    The "matrix of 20 x 1500" of Koh & Dubnov (2021) is ``statistics=None, n_frames=1500,
    hop_length=441``: 30 s in steps of 20 ms.

    References
    ----------
    S. Davis, P. Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
    Recognition", IEEE TASSP 28(4), 1980. The librosa package, ``librosa.feature``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmer import MFCCStatsTransformer
    >>> noise = np.random.default_rng(0).standard_normal(22050)
    >>> mfcc = MFCCStatsTransformer().fit([noise])
    >>> mfcc.transform([noise, noise[:10000]]).shape
    (2, 120)
    >>> mfcc.get_feature_names_out()[[0, 20, 60]]
    array(['mfcc_mean_0', 'mfcc_delta1_mean_0', 'mfcc_std_0'], dtype=object)
    """

    _name, _pooling_name = "mfcc", "statistics"
    # `statistics` has its place here.
    pooling: None = field(default=None, init=False)
    n_mfcc: estimators.Positive = 20
    deltas: Annotated[int, base.whole(0, 2)] = 2
    statistics: Sequence[estimators.Statistic] | None = ("mean", "std")
    target_sr: base.Rate = 22050
    n_fft: Annotated[int, base.whole(2, 2**16)] = 2048
    hop_length: Annotated[int, base.whole(1, 2**24)] = 512
    n_mels: Annotated[int, base.whole(1, 2048)] = 128
    n_frames: estimators.Many | None = None

    def _check_settings(self):
        self._check_statistics("statistics", self.statistics)
        if self.n_frames is not None and self.statistics is not None:
            allowed = "None, since it is for statistics=None alone"
            raise messages.wrong_parameter(self, "n_frames", allowed, self.n_frames)
        if self.n_mfcc > self.n_mels:
            allowed = f"at most n_mels={self.n_mels}"
            raise messages.wrong_parameter(self, "n_mfcc", allowed, self.n_mfcc)
        # At fit: workers make their own filters, and clips from the cache need none.
        n_empty = mel_product(self.target_sr, self.n_fft, self.n_mels, "slaney").n_empty
        if n_empty:
            warnings.warn(
                f"{n_empty} of {self.n_mels} mel bands hold no bin of the spectrum, so that they "
                "are the same for every clip; raise n_fft, or lower n_mels or target_sr.",
                stacklevel=3,
            )

    def _frame_size(self):
        return self.n_mfcc

    def _hop_seconds(self):
        return int(self.hop_length) / int(self.target_sr)

    def _network_sr(self):
        return self.target_sr

    def _feature_names(self):
        if self.statistics is None:
            return [f"mfcc_{i}" for i in range(self.n_mfcc)]
        orders = ["", *(f"delta{order}_" for order in range(1, int(self.deltas) + 1))]
        parts = product(self.statistics, orders, range(self.n_mfcc))
        return [f"mfcc_{order}{statistic}_{i}" for statistic, order, i in parts]

    def _recipe(self, *, pooled):
        statistics = tuple(self.statistics) if pooled and self.statistics is not None else None
        n_frames = self.n_frames if pooled else None
        return self._fill(MFCCRecipe, pooled=pooled, pooling=statistics, n_frames=n_frames)


def _picture(audio: np.ndarray) -> np.ndarray:
    mel = mel_power_columns([audio], sr=22050, n_fft=2048, hop_length=512, n_mels=128)
    return 10 * np.log10(np.maximum(mel.T, _FLOOR))


FEATURE = registry.Feature(
    name="mfcc",
    make=MFCCStatsTransformer,
    label="MFCC",
    color="#009E73",
    picture=registry.Picture(22050, 512 / 22050, "dB", _picture),
    is_baseline=True,
)

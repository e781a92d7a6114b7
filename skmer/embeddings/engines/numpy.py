"""numpy: matrix products alone, for networks whose kernels are larger than frameworks like them.

Nothing has to be started or installed, and a forked process may go on using it.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skmer.embeddings.engines import layers as nn
from skmer.embeddings.engines.base import Engine, run_by_numpy
from skmer.utils.processes import one_blas_thread

_BLOCK_ROWS = 16
_SHIFTS = 8


class _Maxima:
    """The maxima over the width of a convolution, for frames of which each may overlap the next.

    A row whose kernel overlaps no padding is the same in all frames that have it. Such rows are
    computed once, in segments as long as frames are apart: always as many at a time, and so with
    the same bits wherever a frame is.
    """

    def __init__(self, layer):
        self._height, self._n_out = layer.kernel.shape[0], layer.kernel.shape[-1]
        self._padding, self._bias = layer.padding, layer.bias

    def __call__(self, frames, hop, run):
        """Return the maxima of every frame; each is `hop` rows after the one before."""
        top, bottom = self._padding
        reach = top + bottom
        n_inner = frames.shape[1] - reach
        if hop >= n_inner:
            return [*run(lambda frame: self._rows(frame, top, bottom), frames)]
        rows = np.concatenate([*frames[:-1, :hop], frames[-1]])
        rows = np.pad(rows, ((0, -n_inner % hop), (0, 0)))
        segments = [rows[i : i + hop + reach] for i in range(0, len(rows) - reach, hop)]
        inner = np.concatenate([*run(self._rows, segments)])

        def whole(i):
            first = self._rows(frames[i, :reach], top, 0)
            last = self._rows(frames[i, -reach:], 0, bottom)
            return np.concatenate([first, inner[i * hop :][:n_inner], last])

        return [*run(whole, range(len(frames)))]

    def _rows(self, rows, top=0, bottom=0):
        """Return the maxima, given so many rows of zeros above and below, in a subclass."""


class WideConvolution(_Maxima):
    """By the Fourier transform over the width, with a third of the multiplications.

    Along the width a correlation is a product of spectra. Its values at c + g and c - g are a sum
    and a difference of the same two real sums, of cosines and of sines; their maximum is the
    one plus the absolute value of the other, so half of the transform back suffices.
    """

    def __init__(self, layer, shape):
        super().__init__(layer)
        n, width = shape[1], layer.kernel.shape[1]
        centre = (n - width) / 2
        frequency = 2 * np.pi * np.arange(n // 2 + 1) / n
        angle = np.outer(np.arange(n), frequency)
        self._forth = nn.as_float32(np.concatenate([np.cos(angle), -np.sin(angle)], axis=1))
        kernel = layer.kernel[:, :, 0].astype(np.float64)
        spectrum = np.conj(np.fft.rfft(kernel, n, axis=1)).transpose(1, 0, 2)
        spectrum = spectrum * np.exp(1j * frequency * centre)[:, np.newaxis, np.newaxis]
        real, imaginary = spectrum.real, spectrum.imag
        rows = [np.hstack([real, -imaginary]), np.hstack([imaginary, real])]
        self._kernels = nn.as_float32(np.concatenate(rows))
        weight = np.where(np.isin(np.arange(n // 2 + 1), [0, n / 2]), 1, 2) / n
        angle = np.outer(np.arange(centre % 1, centre + 1), frequency)
        self._cosines = nn.as_float32(np.cos(angle) * weight)
        self._sines = nn.as_float32(np.sin(angle) * weight)

    def _rows(self, rows, top=0, bottom=0):
        spectra = np.pad(rows @ self._forth, ((top, bottom), (0, 0)))
        n_frequencies = spectra.shape[1] // 2
        windows = sliding_window_view(spectra, self._height, axis=0)
        both = [windows[:, :n_frequencies], windows[:, n_frequencies:]]
        windows = np.ascontiguousarray(np.concatenate(both, axis=2).transpose(1, 0, 2))
        n_rows = windows.shape[1]
        output = np.empty((n_rows, self._n_out), np.float32)
        # Memory that is used again and again: new memory would cost more than the products.
        largest = _BLOCK_ROWS * self._n_out
        real, imaginary = np.empty((2, n_frequencies * largest), np.float32)
        sums, differences = np.empty((2, len(self._cosines) * largest), np.float32)
        for start in range(0, n_rows, _BLOCK_ROWS):
            block = windows[:, start : start + _BLOCK_ROWS]
            size = block.shape[1] * self._n_out
            a, b = (_as(part, n_frequencies, size) for part in (real, imaginary))
            np.matmul(block, self._kernels[:n_frequencies], out=a.reshape(*block.shape[:2], -1))
            np.matmul(block, self._kernels[n_frequencies:], out=b.reshape(*block.shape[:2], -1))
            even, odd = (_as(part, len(self._cosines), size) for part in (sums, differences))
            np.matmul(self._cosines, a, out=even)
            np.matmul(self._sines, b, out=odd)
            even += np.abs(odd, out=odd)
            np.max(even, axis=0, out=output[start : start + _BLOCK_ROWS].reshape(-1))
        output += self._bias
        return output[:, np.newaxis]


class TallConvolution(_Maxima):
    """A kernel of width 1: one product gives some rows, of all columns, without copying windows."""

    def __init__(self, layer, shape):
        super().__init__(layer)
        # The kernel shifted by 0, 1, ... rows, side by side.
        shifted = np.zeros((self._height + _SHIFTS - 1, _SHIFTS, self._n_out), np.float32)
        for shift in range(_SHIFTS):
            shifted[shift : shift + self._height, shift] = layer.kernel[:, 0, 0]
        self._shifted = shifted.reshape(len(shifted), -1)

    def _rows(self, rows, top=0, bottom=0):
        columns = np.ascontiguousarray(rows.T)
        n_rows = top + len(rows) + bottom - self._height + 1
        n_blocks = -(-n_rows // _SHIFTS)
        output = np.empty((n_blocks, self._shifted.shape[1]), np.float32)
        products = np.empty((len(columns), self._shifted.shape[1]), np.float32)
        for block in range(n_blocks):
            # The zeros above and below need no multiplication.
            start = block * _SHIFTS - top
            first, last = max(start, 0), min(start + len(self._shifted), len(rows))
            kernels = self._shifted[first - start : last - start]
            np.matmul(columns[:, first:last], kernels, out=products)
            np.max(products, axis=0, out=output[block])
        output = output.reshape(-1, self._n_out)[:n_rows] + self._bias
        return output[:, np.newaxis]


def _as(memory, n_rows, n_columns):
    """The start of flat `memory` as a matrix."""
    return memory[: n_rows * n_columns].reshape(n_rows, n_columns)


class NumpyEngine(Engine):
    """Frames side by side in `n_threads` threads, each with matrix products of one thread."""

    def __init__(self, network, *, n_threads):
        super().__init__(network)
        self._n_threads = n_threads
        self._maxima = {}
        for layer, _ in network.body:
            if isinstance(layer, nn.ConvolutionMax):
                kind = TallConvolution if layer.kernel.shape[1] == 1 else WideConvolution
                self._maxima[id(layer)] = kind(layer, network.input_shape)

    def _features(self, batch, hop):
        frames = batch * self._network.scale + self._network.offset
        # Made for this call alone, so that there are no threads that a fork could lose.
        with one_blas_thread(), ThreadPoolExecutor(self._n_threads) as pool:
            hop = hop or frames.shape[1]
            maxima = {key: layer(frames, hop, pool.map) for key, layer in self._maxima.items()}
            each = [{key: of[i] for key, of in maxima.items()} for i in range(len(frames))]
            return np.stack(list(pool.map(self._run_body, frames, each)))

    def _run_body(self, block, maxima=None):
        def run(operation, *given):
            if isinstance(operation, nn.ConvolutionMax):
                return maxima[id(operation)]
            return _RUN.get(type(operation), run_by_numpy)(operation, *given)

        return nn.run_layers(self._network.body, block[..., np.newaxis], run)[-1].ravel()


def _convolve(layer, maps):
    height, width, n_in, n_out = layer.kernel.shape
    top, bottom, left, right = layer.padding
    maps = np.pad(maps, ((top, bottom), (left, right), (0, 0)))
    n_rows, n_columns = maps.shape[0] - height + 1, maps.shape[1] - width + 1
    total = np.zeros((n_rows * n_columns, n_out), np.float32)
    # A product for each place of the kernel needs no copy of windows.
    for row in range(height):
        for column in range(width):
            part = maps[row : row + n_rows, column : column + n_columns]
            total += part.reshape(-1, n_in) @ layer.kernel[row, column]
    total += layer.bias
    if layer.relu:
        np.maximum(total, 0, out=total)
    return total.reshape(n_rows, n_columns, n_out)


_RUN: dict = {
    nn.Convolution: _convolve,
    nn.GlobalPool: lambda layer, maps: getattr(maps, layer.statistic)(axis=(0, 1)),
    nn.Add: lambda layer, one, other: one + other,
    nn.Concat: lambda layer, *maps: np.concatenate(maps, axis=-1),
}

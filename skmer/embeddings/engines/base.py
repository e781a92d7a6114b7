"""What every engine is: frames in, embeddings out, one block of fixed size after the other."""

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from functools import cache

import numpy as np

from skmer.embeddings.engines import layers as nn
from skmer.utils.processes import call_in_forked_child, on_release, one_blas_thread


class LoadedNetworks(OrderedDict):
    """The networks of this process that were used last, each loaded once.

    Parameters
    ----------
    n_kept : int
        How many.
    """

    def __init__(self, n_kept: int):
        super().__init__()
        self.n_kept, self.is_forked = n_kept, False
        self._lock = threading.Lock()
        on_release(self._forget)
        call_in_forked_child(self._start_anew)

    def load(self, key, make):
        """Return the network of a key, which `make()` gives where it is not there."""
        with self._lock:
            if key not in self:
                while len(self) >= self.n_kept:
                    self.popitem(last=False)
                self[key] = make()
            self.move_to_end(key)
            return self[key]

    def _forget(self):
        with self._lock:
            self.clear()

    def _start_anew(self):
        # Those of the parent stay: to close one is to wait for threads that are not here.
        self._left_behind = getattr(self, "_left_behind", []) + list(self.values())
        self._lock, self.is_forked = threading.Lock(), True
        self.clear()


class Engine(ABC):
    """A network ready to run: ``engine(batch)`` maps (n, height, width) to (n, output size).

    Blocks have a fixed number of rows for any size of the batch, so a row's value depends
    neither on its neighbours nor on its position, and memory does not grow with the batch.
    `hop` is given where frames overlap, each so many rows after the one before: an engine may
    compute what they share once.
    Several threads may call one engine at once.
    """

    # One frame at a time costs a CPU next to nothing and saves a gigabyte.
    body_rows = 1

    def __init__(self, network):
        self._network = network

    def __call__(self, batch, hop=None):
        features = self._features(np.ascontiguousarray(batch, dtype=np.float32), hop)
        if not self._network.head:
            return features
        return _in_blocks(self._run_head, features, self.head_rows)

    @property
    def head_rows(self):
        """How many rows the dense layers take at a time."""
        return _rows_alike(self._multiply)

    @staticmethod
    def _multiply(rows, matrix):
        """Multiply as `_run_head` does."""
        with one_blas_thread():
            return rows @ matrix

    def _features(self, batch, hop):
        scaled = batch * self._network.scale + self._network.offset
        return _in_blocks(self._run_body, scaled, self.body_rows)

    @abstractmethod
    def _run_body(self, block):
        """Run a block of scaled frames through the body; flatten height, width, channel."""

    def _run_head(self, block):
        """Run a block of flattened maps through the head."""
        # More threads would round otherwise, and a worker process has fewer of them.
        with one_blas_thread():
            values = nn.run_layers(self._network.head, block, run_by_numpy)
        return np.concatenate([values[number] for number in self._network.outputs], axis=1)


@cache
def _rows_alike(multiply):
    """Return of how many rows this processor multiplies every one in the same way.

    The dense layers are bound by reading their matrices: once for as many frames as a clip has,
    where that goes. But the kernels take some rows at a time, and those left over by other code,
    which rounds otherwise. Without AVX-512, sixteen equal rows have three different products by
    OpenBLAS and one by TensorFlow, and eight have one by OpenBLAS and two by TensorFlow.
    """
    rng = np.random.default_rng(0)
    row = rng.standard_normal((1, 2048), np.float32)
    matrix = rng.standard_normal((2048, 128), np.float32)
    for n_rows in (16, 8, 4, 2):
        product = multiply(np.repeat(row, n_rows, axis=0), matrix)
        if (product == product[0]).all():
            return n_rows
    return 1


def run_by_numpy(operation, rows):
    """Return the rows of a dense layer, or an affine map or an activation of any values."""
    if isinstance(operation, nn.Dense):
        rows = rows @ operation.kernel + operation.bias
        return np.maximum(rows, 0, out=rows) if operation.relu else rows
    if isinstance(operation, nn.Affine):
        return rows * operation.scale + operation.offset
    if operation.function == "relu":
        return np.maximum(rows, 0)
    # By way of tanh, which never overflows.
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * rows) + np.float32(1))


def _in_blocks(function, array, n_rows):
    """Return the rows of `function`, given blocks of `n_rows` rows, the last one padded."""
    n_blocks = max(-(-len(array) // n_rows), 1)
    added = n_blocks * n_rows - len(array)
    padded = np.pad(array, [(0, added)] + [(0, 0)] * (array.ndim - 1))
    blocks = padded.reshape(n_blocks, n_rows, *array.shape[1:])
    return np.concatenate([function(block) for block in blocks])[: len(array)]

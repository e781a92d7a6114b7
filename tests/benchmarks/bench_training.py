"""Training of the Keras classifiers beside Keras' own ``fit``: time per epoch and per fold.

Run: python tests/benchmarks/bench_training.py [ROUNDS]

The two take turns on the same batches of 678 samples, with a validation set of 75, and medians
are reported. "cpu" is the processor time of all threads, which other programs hardly disturb.
"fold" is a whole fit of 10 epochs after an earlier one on other rows: plain Keras builds and
traces again. Keras runs a whole epoch in one call (``steps_per_execution``), compiled by XLA where
that is faster (``jit_compile``; not for convolutions). The networks have the sizes of the presets.
"""

import statistics
import sys
import time

import numpy as np

from skmer.classifiers import KerasCNNClassifier, KerasLSTMClassifier, KerasMLPClassifier
from skmer.classifiers import base as _base

N_TRAIN, N_VALIDATION, N_CLASSES = 678, 75, 6
FEW, MANY, FOLD = 2, 7, 10
CASES = {
    "MLP 678 x 512": (KerasMLPClassifier, (512,)),
    "CNN 678 x 512": (KerasCNNClassifier, (512,)),
    "CNN 678 x 128": (KerasCNNClassifier, (128,)),
    "LSTM 678 x 10 x 512": (KerasLSTMClassifier, (10, 512)),
    "LSTM 678 x 512": (KerasLSTMClassifier, (512,)),
}


def clocked(function, *args):
    """Return wall and processor seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function(*args)
    return np.array([time.perf_counter() - wall, time.process_time() - cpu])


def make_fits(cls, shape):
    """Return the two ways to train, as functions of the number of epochs and the seed."""
    import keras

    rng = np.random.default_rng(0)
    n = N_TRAIN + N_VALIDATION
    X = rng.standard_normal((n, *shape), dtype=np.float32)
    codes = np.arange(n) % N_CLASSES

    def fit_skmer(epochs, seed):
        share = N_VALIDATION / n
        return cls(epochs=epochs, validation_fraction=share, random_state=seed).fit(X, codes)

    mould = fit_skmer(1, 0)
    rows = mould._to_network_input(X)

    def fit_plain(epochs, seed):
        model = mould._build(seed)
        model.compile(
            "adam",
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=-(-N_TRAIN // 32),
            jit_compile=cls._jit_compile,
        )
        model.fit(
            rows[:N_TRAIN],
            codes[:N_TRAIN],
            validation_data=(rows[N_TRAIN:], codes[N_TRAIN:]),
            batch_size=32,
            epochs=epochs,
            callbacks=[keras.callbacks.EarlyStopping(patience=100, restore_best_weights=True)],
            verbose=0,
        )

    return {"plain": fit_plain, "skmer": fit_skmer}


def main(rounds=5):
    # Short fits are not compiled by default; these stand for the presets' 1000 epochs.
    _base._JIT_MIN_STEPS = 0
    print(f"{'':21}{'ms an epoch':>22}{'ratio':>7}{'cpu':>6}{'fold [s]':>16}{'ratio':>7}")
    for label, (cls, shape) in CASES.items():
        fits = make_fits(cls, shape)
        epoch, fold = {name: [] for name in fits}, {name: [] for name in fits}
        for seed in range(rounds):
            for name, fit in fits.items():
                few, many = clocked(fit, FEW, seed), clocked(fit, MANY, seed)
                epoch[name].append((many - few) / (MANY - FEW))
                fold[name].append(clocked(fit, FOLD, seed)[0])
        wall, cpu = (
            {
                name: statistics.median(value[i] for value in values)
                for name, values in epoch.items()
            }
            for i in (0, 1)
        )
        whole = {name: statistics.median(values) for name, values in fold.items()}
        print(
            f"{label:21}{1e3 * wall['plain']:10.1f} ->{1e3 * wall['skmer']:9.1f}"
            f"{wall['plain'] / wall['skmer']:7.2f}{cpu['plain'] / cpu['skmer']:6.2f}"
            f"{whole['plain']:8.2f} ->{whole['skmer']:5.2f}{whole['plain'] / whole['skmer']:7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

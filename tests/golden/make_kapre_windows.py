"""Write skmer/embeddings/kapre_windows.npz: the Hann windows of TensorFlow's tf.signal, bit for bit.

kapre multiplies by them in float32. Where a recording has nothing (above the old Nyquist frequency
of a resampled clip), the rounding of the window is all that its spectrum holds, and L3-Net sees it.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

TARGET = Path(__file__).resolve().parents[2] / "skmer" / "embeddings" / "kapre_windows.npz"

np.savez_compressed(
    TARGET, **{f"hann_{length}": tf.signal.hann_window(length).numpy() for length in (512, 2048)}
)

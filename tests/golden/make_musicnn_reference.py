"""Re-express MusiCNN's golden outputs as the few figures that skmer carries.

    python tests/golden/make_musicnn_reference.py ../shared/golden/musicnn

reads outputs that musicnn's own model code computed with the published weights, and writes
skmer/embeddings/reference: a clip of one patch, and all four layers of both models for it.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile as sf

TARGET = Path(__file__).resolve().parents[2] / "skmer" / "embeddings" / "reference"
LAYERS = ("mean_pool", "max_pool", "penultimate", "tags")


def main() -> None:
    """Write the clip and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    source = parser.parse_args().source

    samples, sr = sf.read(source / "exact_16k.wav", dtype="int16")
    sf.write(TARGET / "musicnn_16k.flac", samples, sr, subtype="PCM_16", compression_level=1.0)
    with np.load(source / "expected.npz", allow_pickle=False) as expected:
        figures = {
            f"musicnn-{trained_on}|{layer}": expected[
                f"exact_16k|{trained_on.upper()}_musicnn|hop187|{layer}"
            ].astype(np.float32)
            for trained_on in ("msd", "mtt")
            for layer in LAYERS
        }
    np.savez_compressed(TARGET / "musicnn.npz", **figures)


if __name__ == "__main__":
    main()

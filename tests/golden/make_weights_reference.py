"""Re-express openl3's published regression arrays as the few figures that skmer carries.

    python tests/golden/make_weights_reference.py ../shared/golden/openl3_published

reads the regression files of github marl/openl3 (tests/data, MIT licence), which were made with the
real weights, and writes skmer/embeddings/reference: the clip, and of each embedding 64 evenly
spread columns and the mean and standard deviation of every frame.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile as sf

TARGET = Path(__file__).resolve().parents[2] / "skmer" / "embeddings" / "reference"
SUFFIXES = {"trained": "", "kapre": "_kapre", "librosa": "_librosa"}
NAMES = {"openl3-mel256-music": "", "openl3-linear-env": "_linear"}
N_COLUMNS = 64


def main() -> None:
    """Write the clip and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    source = parser.parse_args().source
    TARGET.mkdir(exist_ok=True)

    samples, sr = sf.read(source / "chirp_44k.wav", dtype="int16")
    sf.write(TARGET / "chirp_44k.flac", samples, sr, subtype="PCM_16", compression_level=1.0)

    figures = {}
    for name, ending in NAMES.items():
        for frontend, suffix in SUFFIXES.items():
            embedding = np.load(source / f"chirp_44k{suffix}{ending}.npz")["embedding"]
            step = embedding.shape[1] // N_COLUMNS
            key = f"{name}|{frontend}"
            figures[f"{key}|columns"] = embedding[:, step // 2 :: step]
            figures[f"{key}|mean"] = embedding.mean(axis=1)
            figures[f"{key}|std"] = embedding.std(axis=1)
    np.savez_compressed(TARGET / "openl3_chirp.npz", **figures)


if __name__ == "__main__":
    main()

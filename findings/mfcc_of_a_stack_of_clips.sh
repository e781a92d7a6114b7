#!/usr/bin/env bash
# librosa 0.11 and 1.0 compute different MFCC for the same stack of clips (or of channels), without a
# warning. `power_to_db` limits values to 80 dB below the loudest value. In 0.11 this is the loudest value of the
# whole array, so that a quiet clip beside a loud clip loses most of its spectrum, and its MFCC depend on the other
# clips. In 1.0 (axes="auto") it is the loudest value of each clip. A single clip has the same MFCC in both.
#
# librosa 0.11.0 and 1.0.0 (which needs Python 3.12: PYTHON names the interpreter); 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/stack.py" <<'END'
import sys

import librosa
import numpy as np

sr = 22050
t = np.arange(sr) / sr
loud = np.sin(2 * np.pi * 440 * t).astype(np.float32)
noise = np.random.default_rng(0).standard_normal(sr)
quiet = (1e-5 * np.sin(2 * np.pi * 880 * t) + 1e-6 * noise).astype(np.float32)
alone = librosa.feature.mfcc(y=quiet, sr=sr)
stacked = librosa.feature.mfcc(y=np.stack([loud, quiet]), sr=sr)[1]
difference = float(abs(alone - stacked).max())
print(f"librosa {librosa.__version__}: largest MFCC of the quiet clip {abs(alone).max():.1f}, "
      f"largest difference between alone and beside a loud clip {difference:.1f}")
raise SystemExit("the behaviour has changed" if (difference > 1) != (sys.argv[1] == "differs") else 0)
END
for expected in 0.11.0:differs 1.0.0:equal; do
    version=${expected%:*}
    "${PYTHON:-python3}" -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet "librosa==$version"
    "$folder/$version/bin/python" "$folder/stack.py" "${expected#*:}"
done

#!/usr/bin/env bash
# opensmile converts float samples to 16-bit integers by a factor of 32768 without clipping, so that
# a sample of exactly 1.0 becomes -1.0. A clip that was normalized to a peak of 1.0, or that was
# clipped, gets a full-scale click at each positive peak: its loudness is four times that of the same
# clip with a peak of 32767/32768, and there is no warning. Clips in which only negative peaks reach full scale
# are not changed. Workaround: limit the samples to 32767/32768 first.
#
# opensmile 2.6.0, numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "opensmile==2.6.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import numpy as np
import opensmile

print("opensmile", opensmile.__version__, "numpy", np.__version__)
smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02)
tone = 1.2 * np.sin(2 * np.pi * 200 * np.arange(48000) / 16000 + 0.1)
ends = {"32767/32768": (-1, 32767 / 32768), "1.0": (-1, 1.0), "0.99": (-0.99, 0.99)}
loudness = {}
for name, (low, high) in ends.items():
    clip = np.clip(tone, low, high).astype(np.float32)
    table = smile.process_signal(clip, 16000)
    loudness[name] = float(table["loudness_sma3_amean"].iloc[0])
    print(f"samples from {low} to {name}: loudness {loudness[name]:.2f}")
same = abs(loudness["0.99"] / loudness["32767/32768"] - 1) < 0.05
wrapped = loudness["1.0"] > 3 * loudness["32767/32768"]
raise SystemExit(0 if same and wrapped else "the behaviour has changed")
END

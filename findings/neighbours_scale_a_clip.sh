#!/usr/bin/env bash
# Wav2Vec2FeatureExtractor scales a clip by an amount that depends on the other clips of its batch. With
# return_attention_mask=False, the default and the setting of the base models of wav2vec 2.0 and HuBERT,
# clips are padded first, and then scaled to zero mean and unit variance together with their padding. So a clip
# that is half as long as the longest clip is 1.41 times as loud as alone, a clip of a tenth 3.16 times as loud,
# and its embedding changes. With return_attention_mask=True the scale is that of the clip alone.
#
# transformers 5.24.0, torch 2.13.0, numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "transformers==5.24.0" "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import numpy as np
import transformers
from transformers import Wav2Vec2FeatureExtractor

print("transformers", transformers.__version__)
clip = (0.05 * np.random.default_rng(0).standard_normal(16000)).astype(np.float32)
failed = False
for has_mask in (False, True):
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=has_mask)
    (alone,) = extractor(clip, sampling_rate=16000, return_tensors="np")["input_values"]
    for times in (2, 10):
        batch = [clip, np.tile(clip, times)]
        rows = extractor(batch, sampling_rate=16000, return_tensors="np", padding=True)
        ratio = float(rows["input_values"][0, :16000].std() / alone.std())
        print(f"return_attention_mask={has_mask}: a clip beside one {times} times as long is "
              f"{ratio:.3f} times as loud as alone")
        failed |= abs(ratio - (1 if has_mask else times**0.5)) > 0.01
raise SystemExit("the behaviour has changed" if failed else 0)
END

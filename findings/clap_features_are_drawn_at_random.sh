#!/usr/bin/env bash
# CLAP's feature extractor in transformers draws random numbers at inference. A clip of more than
# 10 s has other features, and so another embedding, at each call, in both modes
# (truncation="fusion" and "rand_trunc"). In the mode "fusion" this also holds for short clips: if
# no clip of a batch is longer than 10 s, one randomly drawn clip is marked as longer and passes
# through the fusion branch. The draws depend on numpy's global random state, not on torch's.
#
# transformers 5.24.0, torch 2.13.0, numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "transformers==5.24.0" "torch==2.13.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import numpy as np
import torch
import transformers
from transformers import ClapAudioConfig, ClapAudioModelWithProjection, ClapFeatureExtractor

print("transformers", transformers.__version__, "torch", torch.__version__, "numpy", np.__version__)
sr = 48000
noise = 0.1 * np.random.default_rng(0).standard_normal(14 * sr).astype(np.float32)
long, short = noise, noise[: 6 * sr]
torch.manual_seed(0)
model = ClapAudioModelWithProjection(
    ClapAudioConfig(
        patch_embeds_hidden_size=16, depths=[1, 1, 1, 1], num_attention_heads=[2, 2, 2, 2],
        hidden_size=128, projection_dim=24, enable_fusion=True,
    )
).eval()


def embed(clips, extractor):
    features = extractor(clips, sampling_rate=sr, return_tensors="pt")
    with torch.no_grad():
        return model(**features).audio_embeds.numpy(), features["is_longer"].ravel().tolist()


failed = False
for mode in ("fusion", "rand_trunc"):
    extractor = ClapFeatureExtractor(truncation=mode)
    first, second = (
        extractor(long, sampling_rate=sr, return_tensors="np")["input_features"] for _ in range(2)
    )
    print(f"{mode}: one clip of 14 s twice, largest difference of features {abs(first - second).max():.3g}")
    failed |= bool(np.array_equal(first, second))

fusion = ClapFeatureExtractor(truncation="fusion")
for seed in (0, 1, 2, 3):
    np.random.seed(seed)
    rows, is_longer = embed([short] * 3, fusion)
    print(f"three times the same clip of 6 s, numpy's seed {seed}: is_longer {is_longer}, "
          f"largest difference between the three rows {np.ptp(rows, axis=0).max():.3g}")
    failed |= sum(is_longer) != 1
raise SystemExit("the behaviour has changed" if failed else 0)
END

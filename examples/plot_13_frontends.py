"""
The three front-ends of L3-Net
==============================

Versions of openl3 computed their spectrograms in three ways. The network is the same but its input differs, and so do
the embeddings. The page :ref:`frontends` lists the versions and dates.
"""

# %%
# We compute the three spectrograms of one generated second, a rising tone of thirty partials with faint noise. They
# are the input of the network: decibels below the loudest point, 256 mel bands from 0 to 24 kHz.
import numpy as np

from skmer.audio import l3_spectrogram

sr = 48000
time = np.arange(sr) / sr
phase = 2 * np.pi * np.cumsum(220 + 330 * time**2) / sr
clip = sum(np.sin(k * phase) / k for k in range(1, 31)) * np.sin(np.pi * time)
clip += 1e-3 * np.random.default_rng(0).standard_normal(sr)
clip = clip.astype(np.float32)
spectrograms = {
    name: l3_spectrogram(clip[None], input_repr="mel256", frontend=name)[0]
    for name in ("trained", "kapre", "librosa")
}

# %%
# The upper row shows the three spectrograms. The lower row shows the differences of the two later front-ends from
# the one with which the published weights were trained; the titles have the mean absolute difference. The other mel
# scale shifts every partial to other bands; padding at one end instead of both shifts the spectrogram in time.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(2, 3, figsize=(9, 5.6), sharex=True, sharey=True, layout="constrained")
for ax, (name, spectrogram) in zip(axes[0], spectrograms.items()):
    level = ax.imshow(spectrogram, origin="lower", aspect="auto", vmin=-80, vmax=0)
    ax.set_title(f'frontend="{name}"')
axes[1, 0].set_axis_off()
for ax, name in zip(axes[1, 1:], ("kapre", "librosa")):
    difference = spectrograms[name] - spectrograms["trained"]
    change = ax.imshow(difference, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-25, vmax=25)
    ax.set_title(f"minus trained: {np.abs(difference).mean():.1f} dB")
    ax.set_xlabel("column, 5 ms each")
axes[0, 0].set_ylabel("mel band")
figure.colorbar(level, ax=axes[0], label="dB")
figure.colorbar(change, ax=axes[1], label="dB")

# %%
# The cosine between the embeddings of the clip with two front-ends, here with random weights. The page
# :ref:`frontends` has the cosines with the published weights.
from skmer import L3Transformer

vectors = {
    name: L3Transformer(weights=None, random_state=0, frontend=name).fit_transform([(clip, sr)])[0]
    for name in spectrograms
}
for name in ("kapre", "librosa"):
    one, other = vectors["trained"], vectors[name]
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    print(f"trained and {name}: {cosine:.4f}")

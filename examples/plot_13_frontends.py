"""
The three front-ends of L3-Net
==============================

openl3 has made its spectrograms in three ways. The network is the same, its input is not, and so
the embeddings differ. The page :ref:`frontends` has their dates.
"""

# %%
# One second of a generated glide, a tone of thirty partials over faint noise, through all three, as
# the network takes it: decibels below the loudest point, 256 mel bands from 0 to 24 kHz.
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
# Above what the three front-ends give, below how far the later two are from what the published
# weights were trained on, in the title on average over the picture. The other mel scale moves every line of the picture; padding at one end
# instead of both moves it in time.
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
# The same clip in the embedding, here with random weights: the cosine between the clip's
# embeddings by two front-ends. What the published weights make of it is on the page
# :ref:`frontends`.
from skmer import L3Transformer

vectors = {
    name: L3Transformer(weights=None, random_state=0, frontend=name).fit_transform([(clip, sr)])[0]
    for name in spectrograms
}
for name in ("kapre", "librosa"):
    one, other = vectors["trained"], vectors[name]
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    print(f"trained and {name}: {cosine:.4f}")

"""MusiCNN the plain way: librosa's spectrogram, the layers as published, ``model.predict``."""

import librosa
import numpy as np
import soundfile

SR, N_COLUMNS = 16000, 187


def build_model(arrays):
    """The network as published; its outputs are mean pool, max pool, penultimate and tags."""
    import keras
    from keras import layers

    weights = []

    def add(layer, x, name, index, roles):
        y = layer(x)
        name = f"{name}_{index}" if index else name
        weights.append((layer, [arrays[f"{name}/{role}"] for role in roles]))
        return y

    def norm(x, index):
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        layer = layers.BatchNormalization(epsilon=1e-3)
        return add(layer, x, "batch_normalization", index, roles)

    def conv(x, index, padding):
        height, width, _, n_out = arrays[
            f"conv2d_{index}/kernel" if index else "conv2d/kernel"
        ].shape
        layer = layers.Conv2D(n_out, (height, width), padding=padding, activation="relu")
        return norm(add(layer, x, "conv2d", index, ("kernel", "bias")), index + 1)

    given = keras.Input((N_COLUMNS, 96, 1))
    x = norm(given, 0)
    padded = layers.ZeroPadding2D((3, 0))(x)
    front = []
    for index in range(5):
        y = conv(padded, index, "valid") if index < 2 else conv(x, index, "same")
        front.append(layers.MaxPooling2D((1, y.shape[2]))(y))
    middle = [layers.Reshape((N_COLUMNS, 561, 1))(layers.Concatenate()(front))]
    for index in (5, 6, 7):
        y = conv(layers.ZeroPadding2D((3, 0))(middle[-1]), index, "valid")
        y = layers.Permute((1, 3, 2))(y)
        middle.append(y if index == 5 else layers.Add()([y, middle[-1]]))
    together = layers.Reshape((N_COLUMNS, 753))(layers.Concatenate(axis=2)(middle))
    most = layers.GlobalMaxPooling1D()(together)
    mean = layers.GlobalAveragePooling1D()(together)
    both = [layers.Reshape((753, 1))(pool) for pool in (most, mean)]
    flat = norm(layers.Flatten()(layers.Concatenate()(both)), 9)
    dense = add(layers.Dense(200, activation="relu"), flat, "dense", 0, ("kernel", "bias"))
    hidden = norm(dense, 10)
    tags = add(layers.Dense(50, activation="sigmoid"), hidden, "dense", 1, ("kernel", "bias"))
    model = keras.Model(given, layers.Concatenate()([mean, most, hidden, tags]))
    for layer, own in weights:
        layer.set_weights(own)
    return model


def log_mel_patches(audio, hop):
    """Patches of 187 columns, `hop` columns apart."""
    mel = librosa.feature.melspectrogram(
        y=audio, sr=SR, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect"
    )
    columns = np.log10(10000 * mel + 1).T
    return np.stack(
        [columns[i : i + N_COLUMNS] for i in range(0, len(columns) - N_COLUMNS + 1, hop)]
    )


def embed(model, paths, hop):
    """Files at 16 kHz to a list of frames with all layers, (n_frames, 1756)."""
    embedded = []
    for path in paths:
        audio, sr = soundfile.read(path, dtype="float32")
        if sr != SR:
            raise ValueError(f"the benchmark leaves resampling out; {path} has {sr} Hz")
        patches = log_mel_patches(audio, hop)[..., np.newaxis]
        embedded.append(model.predict(patches, batch_size=32, verbose=0))
    return embedded

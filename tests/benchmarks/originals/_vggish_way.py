"""VGGish the plain way: the published numpy front-end, and Keras' ``model.predict``."""

import numpy as np
import soundfile

SR, WINDOW, HOP, N_FFT = 16000, 400, 160, 512
LAYERS = (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool")


def build_model(arrays):
    """The network as published, with weights in stored order."""
    import keras
    from keras import layers

    stack = [keras.Input((96, 64, 1))]
    for width in LAYERS:
        if width == "pool":
            stack.append(layers.MaxPooling2D(2))
        else:
            stack.append(layers.Conv2D(width, 3, padding="same", activation="relu"))
    stack += [layers.Flatten(), layers.Dense(4096, "relu"), layers.Dense(4096, "relu")]
    model = keras.Sequential([*stack, layers.Dense(128)])
    model.set_weights(list(arrays))
    return model


def mel_matrix():
    """64 triangles, linear in mel, from 125 to 7500 Hz."""

    def mel(frequency):
        return 1127 * np.log(1 + frequency / 700)

    bins = mel(np.linspace(0, SR / 2, N_FFT // 2 + 1))
    edges = np.linspace(mel(125.0), mel(7500.0), 66)
    bank = np.empty((len(bins), 64))
    for i in range(64):
        low, centre, high = edges[i : i + 3]
        bank[:, i] = np.maximum(
            0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
        )
    bank[0] = 0
    return bank


def log_mel_examples(audio):
    """The whole waveform at once, in float64, then examples of 96 columns."""
    n_columns = 1 + (len(audio) - WINDOW) // HOP
    stride = audio.strides[0]
    frames = np.lib.stride_tricks.as_strided(
        audio, (n_columns, WINDOW), (HOP * stride, stride), writeable=False
    )
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / WINDOW * np.arange(WINDOW))
    log_mel = np.log(np.abs(np.fft.rfft(frames * hann, N_FFT)) @ mel_matrix() + 0.01)
    n_examples = n_columns // 96
    return log_mel[: n_examples * 96].reshape(n_examples, 96, 64)


def embed(model, paths):
    """Files at 16 kHz to a list of examples, (n_examples, 128)."""
    embedded = []
    for path in paths:
        audio, sr = soundfile.read(path)
        if sr != SR:
            raise ValueError(f"the benchmark leaves resampling out; {path} has {sr} Hz")
        examples = log_mel_examples(audio)[..., np.newaxis]
        embedded.append(model.predict(examples, batch_size=32, verbose=0))
    return embedded

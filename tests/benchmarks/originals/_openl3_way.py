"""L3-Net the way openl3 0.4.2 goes, ``frontend="librosa"``, on the TensorFlow at hand.

Every frame is turned into a spectrogram by itself by librosa, all frames of a clip are stacked,
and Keras' ``model.predict`` runs them 32 at a time. openl3 itself installs on Python < 3.12 only,
and its other front-end, kapre, is slower than this one.
"""

import librosa
import numpy as np
import soundfile

SR, HOP_LENGTH, N_FFT = 48000, 242, 2048
WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)


def build_model(arrays, shape):
    """The Keras model of openl3, 512-D, with weights in stored order."""
    import keras
    from keras import layers

    inputs = maps = keras.Input((*shape, 1))
    maps = layers.BatchNormalization()(maps)
    for index, width in enumerate(WIDTHS):
        last = index == len(WIDTHS) - 1
        maps = layers.Conv2D(width, 3, padding="same")(maps)
        if not last:
            maps = layers.Activation("relu")(layers.BatchNormalization()(maps))
            if index % 2:
                maps = layers.MaxPooling2D(2)(maps)
    maps = layers.MaxPooling2D((shape[0] // 8, shape[1] // 8), padding="same")(maps)
    model = keras.Model(inputs, layers.Flatten()(maps))
    model.set_weights(list(arrays))
    return model


def spectrogram(frame, n_mels):
    """One frame of one second."""
    magnitude = np.abs(librosa.stft(frame, n_fft=N_FFT, hop_length=HOP_LENGTH, center=True))
    mel = librosa.feature.melspectrogram(S=magnitude, sr=SR, n_mels=n_mels, power=1.0)
    level = 10 * np.log10(np.maximum(mel, 1e-10))
    return np.maximum(level - level.max(), -80.0)


def cut(audio, hop_size):
    """Centred frames of one second, padded so that every sample is in one."""
    audio = np.pad(audio, (SR // 2, 0))
    hop = int(hop_size * SR)
    n_samples = int(np.ceil(max(len(audio) - SR, 0) / hop)) * hop + SR
    audio = np.pad(audio, (0, n_samples - len(audio)))
    return librosa.util.frame(audio, frame_length=SR, hop_length=hop, axis=0)


def embed(model, paths, *, hop_size, n_mels):
    """Files at 48 kHz to a list of frames, (n_frames, 512)."""
    embedded = []
    for path in paths:
        audio, sr = soundfile.read(path)
        if sr != SR:
            raise ValueError(f"the benchmark leaves resampling out; {path} has {sr} Hz")
        spectra = np.stack([spectrogram(frame, n_mels) for frame in cut(audio, hop_size)])
        embedded.append(model.predict(spectra[..., np.newaxis], batch_size=32, verbose=0))
    return embedded

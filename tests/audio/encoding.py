"""Bytes of files, as libsndfile writes them."""

import io

import soundfile

SR = 44100
SECONDS = 6


def encoded(audio, suffix, sr=SR, **kwargs):
    """The bytes of a file."""
    kwargs = {"opus": {"format": "OGG", "subtype": "OPUS"}}.get(suffix, {"format": suffix}) | kwargs
    file = io.BytesIO()
    soundfile.write(file, audio, sr, **kwargs)
    return file.getvalue()


def variable_mp3(audio, sr=SR):
    return encoded(audio, "mp3", sr, bitrate_mode="VARIABLE", compression_level=0.2)


def frame_size(data, at=0):
    """Bytes of the MPEG 1 layer III frame that begins there."""
    kilobits = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    rate = (44100, 48000, 32000)[data[at + 2] >> 2 & 3]
    return 144000 * kilobits[(data[at + 2] >> 4) - 1] // rate + (data[at + 2] >> 1 & 1)


def without_xing(data):
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    return data[frame_size(data) :]


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return path

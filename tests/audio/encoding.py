"""Bytes of files, as libsndfile and FFmpeg's libraries write them."""

import io

import numpy as np
import soundfile

SR = 44100
SECONDS = 6
# The container and the codec of what PyAV writes.
BY_AV = {
    "m4a": ("ipod", "aac"),
    "alac": ("ipod", "alac"),
    "mp4": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "mka": ("matroska", "aac"),
    "webm": ("webm", "libopus"),
    "wma": ("asf", "wmav2"),
    "wv": ("wv", "wavpack"),
}


def encoded(audio, suffix, sr=SR, **kwargs):
    """The bytes of a file."""
    if suffix in BY_AV:
        return _encoded_by_av(audio, suffix, sr)
    kwargs = {
        "opus": {"format": "OGG", "subtype": "OPUS"},
        "vbr.mp3": {"format": "MP3", "bitrate_mode": "VARIABLE", "compression_level": 0.2},
    }.get(suffix, {"format": suffix}) | kwargs
    file = io.BytesIO()
    soundfile.write(file, audio, sr, **kwargs)
    return file.getvalue()


def _encoded_by_av(audio, suffix, sr):
    import av

    container_format, codec = BY_AV[suffix]
    # Metadata first: of a file that was cut nothing else could be read.
    options = {"movflags": "frag_keyframe+empty_moov"} if suffix == "mp4" else {}
    planes = np.ascontiguousarray(np.atleast_2d(np.asarray(audio, np.float32).T))
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(planes)]
    file = io.BytesIO()
    with av.open(file, "w", format=container_format, options=options) as container:
        stream = container.add_stream(codec, rate=sr, layout=layout)
        stream.bit_rate = 128_000
        if codec in ("alac", "wavpack"):
            stream.format = "s16p"
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = sr
        for source in (frame, None):
            for packet in stream.encode(source):
                container.mux(packet)
    return file.getvalue()


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

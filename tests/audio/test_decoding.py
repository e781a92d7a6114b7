"""Both decoders: whole and in part, from paths and open files, of rates and names of any kind."""

import io
import os
import struct
import sys
import threading

import av
import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio, stream_audio
from skmer.embeddings import extract
from skmer.exceptions import AudioDecodeError, SilentClipWarning, TruncatedClipWarning
from tests.audio.encoding import BY_AV, SR, encoded, without_xing, write

OPUS = ("opus", "webm")


def rate(suffix):
    return 48000 if suffix in OPUS else SR


def waveform(data, **part):
    return read_audio(io.BytesIO(bytes(data)), **part)[0]


def by_av_alone(data):
    """The whole by PyAV, without anything of ours."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    frames = np.concatenate(frames, axis=1)
    return frames / 2**15 if frames.dtype == np.int16 else frames


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "m4a"])
def test_a_file_is_read_once(clip, suffix):
    """Examined and decoded in one pass: it may be on a network."""
    n_read = 0

    class Counted(io.BytesIO):
        def read(self, size=-1):
            nonlocal n_read
            n_read += len(data := super().read(size))
            return data

    data = encoded(np.tile(clip, 3), suffix, rate(suffix))
    read_audio(Counted(data))
    assert n_read <= 1.1 * len(data) + 2**16


@pytest.mark.parametrize("suffix", BY_AV)
def test_what_libsndfile_does_not_read(tmp_path, clip, suffix):
    sr = rate(suffix)
    stereo = np.stack([clip, 0.5 * clip], axis=1)
    data = encoded(stereo, suffix, sr)
    path = write(tmp_path, f"a.{suffix}", data)
    found, found_sr = read_audio(path)
    assert found_sr == sr
    assert -1024 < len(found) - len(clip) < 4096
    np.testing.assert_allclose(found, by_av_alone(data).mean(axis=0), atol=1e-6)
    if suffix in ("alac", "wv"):
        np.testing.assert_allclose(found, stereo.mean(axis=1), atol=2**-15)
    # Open files and bytes are the same, and so are parts.
    np.testing.assert_array_equal(waveform(data), found)
    np.testing.assert_array_equal(read_audio(data)[0], found)
    part = waveform(data, offset=0.5, duration=2.25)
    np.testing.assert_array_equal(part, found[sr // 2 :][: round(2.25 * sr)])


@pytest.mark.parametrize("suffix", [suffix for suffix in BY_AV if suffix not in ("m4a", "alac")])
def test_what_was_cut_of_it_is_read_with_one_warning(tmp_path, clip, suffix):
    data = encoded(clip, suffix, rate(suffix))
    whole = waveform(data)
    for share in (0.3, 0.617, 0.95):
        path = write(tmp_path, f"cut.{suffix}", data[: int(share * len(data))])
        with pytest.warns(TruncatedClipWarning, match=rf"cut\.{suffix}.*ends before") as caught:
            part, _ = read_audio(path)
        assert len(caught) == 1
        assert 0.1 * len(whole) < len(part) < len(whole)
        np.testing.assert_allclose(part[:-4096], whole[: len(part) - 4096], atol=1e-6)
        # Of the part that is used nothing is missing.
        read_audio(path, duration=0.5)


def test_damage_in_its_middle_is_a_warning(clip):
    data = bytearray(encoded(clip, "mka"))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    with pytest.warns(TruncatedClipWarning):
        assert len(waveform(data)) > 0.5 * len(clip)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged_here(channels):
    """FFmpeg's own conversion to mono is louder, and leaves out the sixth channel."""
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (20000, channels))
    data = encoded(audio, "wv")
    np.testing.assert_allclose(waveform(data), audio.mean(axis=1), atol=2**-14)


def test_the_log_of_the_process_is_left_as_it_was(clip):
    data = encoded(clip, "aac")
    cut = data[: len(data) // 2]
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    warned = []

    def read():
        list(stream_audio(io.BytesIO(cut), sr=SR, on_note=warned.append))

    # Equal messages of several threads are each counted, and none waits for another.
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warned == ["cut"] * 4
    next(stream_audio(io.BytesIO(cut), sr=SR))
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before


def test_without_pyav_the_error_names_the_extra(tmp_path, monkeypatch, clip):
    path = write(tmp_path, "other.m4a", encoded(clip[:SR], "m4a"))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(AudioDecodeError, match=r'other\.m4a.*pip install "skmer\[av\]"'):
        read_audio(path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.wav\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile a.wav\n",
    ],
)
def test_a_list_of_other_files_is_not_followed(tmp_path, clip, text):
    soundfile.write(tmp_path / "a.wav", clip[:SR], SR)
    with pytest.raises(AudioDecodeError, match="not in a format that can be read"):
        read_audio(write(tmp_path, "list.m4a", text.encode()))


def test_a_film_without_sound(tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=16, height=16)
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode())
    with pytest.raises(AudioDecodeError, match="no sound"):
        read_audio(path)


def test_tags_in_another_encoding_do_not_matter(clip):
    file = io.BytesIO()
    with av.open(file, "w", format="ipod") as container:
        container.metadata["title"] = "ABCDEFGH"
        stream = container.add_stream("aac", rate=SR, layout="mono")
        frame = av.AudioFrame.from_ndarray(clip[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = SR
        for source in (frame, None):
            container.mux(stream.encode(source))
    data = file.getvalue().replace(b"ABCDEFGH", b"\xe4\xff\xfe\xd0ABCD")
    assert len(waveform(data)) >= len(clip)


@pytest.mark.parametrize("suffix", ["mp3", "bare.mp3", "ogg", "opus", "flac", "wav", "aiff"])
def test_an_offset_is_the_same_sample_everywhere(clip, suffix):
    sr = rate(suffix)
    data = encoded(clip, "vbr.mp3" if suffix == "bare.mp3" else suffix, sr)
    data = without_xing(data) if suffix == "bare.mp3" else data
    whole = waveform(data)
    for start in [1, *range(1000, len(clip), 29989), len(clip) - 500]:
        part = waveform(data, offset=start / sr, duration=0.1)
        np.testing.assert_allclose(part, whole[start:][: sr // 10], atol=1e-5, err_msg=str(start))
    with pytest.raises(AudioDecodeError, match="ends before offset=7"):
        waveform(data, offset=7)


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
@pytest.mark.parametrize("numbered", [False, True])
def test_offset_in_a_stream_that_was_taken_up_late(clip, suffix, numbered):
    """As of a radio: its pages state times since the start of the stream."""
    sr = rate(suffix)
    pages = [b"OggS" + page for page in encoded(clip, suffix, sr).split(b"OggS")[1:]]
    kept = pages[:2] + pages[len(pages) // 2 :]
    if numbered:
        kept = [with_number(page, number) for number, page in enumerate(kept)]
    data = b"".join(kept)
    whole = waveform(data)
    assert sr < len(whole) < len(clip)
    for offset in (0.1, 0.5, 0.9):
        part = waveform(data, offset=offset, duration=0.1)
        np.testing.assert_allclose(part, whole[round(offset * sr) :][: sr // 10], atol=1e-5)


def with_number(page, number):
    page = bytearray(page)
    page[18:26] = struct.pack("<II", number, 0)
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", checksum)
    return bytes(page)


@pytest.mark.parametrize("suffix", ["bare.mp3", "ogg", "flac", "wav", "aac"])
def test_a_table_states_the_duration_that_is_there(tmp_path, clip, suffix):
    """Of a joined file, and of an mp3 that states none; of the file, whatever part is used."""
    data = encoded(clip[: 2 * SR], suffix.replace("bare", "vbr"))
    data = without_xing(data) if suffix == "bare.mp3" else data
    path = write(tmp_path, f"a.{suffix}", data + data)
    expected = len(read_audio(path)[0]) / SR
    for name, duration in {"whole.csv": None, "part.csv": 0.5}.items():
        extract([path], MFCCStatsTransformer(duration=duration), tmp_path / name)
        table = pd.read_csv(tmp_path / name)
        assert table["duration"].tolist() == pytest.approx([expected], abs=0.01)


def test_a_long_mp3_is_read_without_seams():
    """soundfile alone, reading in blocks, gives wrong samples after each."""
    data = encoded(0.1 * np.random.default_rng(0).standard_normal(12 * SR), "vbr.mp3")
    whole, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    np.testing.assert_allclose(waveform(data), whole, atol=1e-6)


def wav_header(sr, channels, n_samples=4000):
    data = bytes(2 * n_samples * channels)
    width, byte_rate = 2 * channels, min(2 * sr * channels, 2**32 - 1)
    head = struct.pack("<IHHIIHH", 16, 1, channels, sr, byte_rate, width, 16)
    body = b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("sr", "channels"),
    [(0, 1), (10, 1), (2**31 - 1, 1), (2**32 - 1, 1), (8000, 0), (8000, 500), (8000, 5000)],
)
def test_a_header_that_no_recording_has(tmp_path, sr, channels):
    path = write(tmp_path, "odd.wav", wav_header(sr, channels, 200))
    with pytest.raises(AudioDecodeError, match=r"odd\.wav"):
        read_audio(path, sr=48000)


def test_odd_names(tmp_path, clip):
    good = write(tmp_path, "good.wav", encoded(clip[:SR], "wav"))
    # What lies beside it, from a disk of another system, is no part of it.
    write(tmp_path, "._good.mp3", b"\0\5\x16\7" + bytes(300))
    mp3 = write(tmp_path, "good.mp3", without_xing(encoded(clip[:SR], "mp3")))
    assert len(read_audio(mp3)[0]) > SR
    assert len(read_audio(write(tmp_path, "Artist: Song.m4a", encoded(clip, "m4a")))[0]) > SR
    for bad in ("x" * 300 + ".wav", "a\0b.wav", os.devnull):
        with pytest.raises(AudioDecodeError):
            read_audio(bad)
    rows = MFCCStatsTransformer(on_error="nan").fit([good])
    with pytest.warns(UserWarning, match="1 of 3 clips could not be read"):
        X = rows.transform([good, "x" * 300 + ".wav", mp3])
    assert np.isnan(X).any(axis=1).tolist() == [False, True, False]


@pytest.mark.skipif(os.name == "nt", reason="names there are Unicode")
@pytest.mark.parametrize("suffix", ["wav", "m4a"])
def test_a_name_in_another_encoding(tmp_path, clip, suffix):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/Stra\xdfe." + suffix.encode())
    try:
        with open(name, "wb") as file:
            file.write(encoded(clip, suffix))
    except OSError:
        pytest.skip("this file system has no such names")
    assert len(read_audio(name)[0]) >= len(clip)
    with pytest.raises(AudioDecodeError) as caught:
        read_audio(name + "x")
    str(caught.value).encode()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_an_error_and_no_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioDecodeError, match=r"pipe\.wav.*no regular file"):
        read_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aac"])
def test_open_files_are_read_from_their_start(tmp_path, clip, suffix):
    data = encoded(clip, suffix)
    expected, _ = read_audio(write(tmp_path, f"a.{suffix}", data))
    file = io.BytesIO(data)
    file.seek(100)
    np.testing.assert_array_equal(read_audio(file)[0], expected)
    assert not file.closed
    np.testing.assert_array_equal(np.concatenate(list(stream_audio(file, sr=SR))), expected)


@pytest.mark.parametrize("suffix", ["wav", "mp3", "opus"])
def test_channels_that_cancel_are_silent(tmp_path, clip, suffix):
    sr = rate(suffix)
    path = write(tmp_path, f"anti.{suffix}", encoded(np.stack([clip, -clip], axis=1), suffix, sr))
    with pytest.warns(SilentClipWarning, match=rf"channels cancel.*anti\.{suffix}"):
        MFCCStatsTransformer().fit_transform([path])
    wide = np.stack([clip, -0.9 * clip], axis=1)
    path = write(tmp_path, f"wide.{suffix}", encoded(wide, suffix, sr))
    MFCCStatsTransformer().fit_transform([path])

"""What libsndfile does not read: by ffmpeg, or by a program in its place that does as it is told."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio, stream_audio
from skmer.embeddings import extract
from skmer.exceptions import AudioDecodeError, TruncatedClipWarning
from tests.audio.encoding import SR, write

posix = pytest.mark.skipif(os.name == "nt", reason="the program in its place is a script")
real = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program called ffmpeg in the place of any other."""

    def put(channels, samples, more=""):
        np.asarray(samples, ">f4").tofile(tmp_path / "samples")
        script = tmp_path / "bin" / "ffmpeg"
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            f"#!{sys.executable}\n"
            "import os, struct, sys, time\n"
            f"folder = {str(tmp_path)!r}\n"
            "open(folder + '/words', 'w').write(repr(sys.argv))\n"
            "out = sys.stdout.buffer\n"
            f"head = struct.pack('>4sIIIII', b'.snd', 28, 2**32 - 1, 6, 8000, {channels})\n"
            "data = head + bytes(4) + open(folder + '/samples', 'rb').read()\n"
            f"{more}\n"
            "out.write(data)\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(script.parent))
        return write(tmp_path, "other.m4a", b"no format that libsndfile knows")

    return put


@posix
@pytest.mark.parametrize("channels", [1, 2, 3, 5, 6, 7])
def test_samples_of_any_number_of_channels(program, channels):
    samples = np.random.default_rng(0).uniform(-1.5, 1.5, (90001, channels)).astype(np.float32)
    path = program(channels, samples)
    waveform, sr = read_audio(path)
    assert sr == 8000
    np.testing.assert_allclose(waveform, samples.mean(axis=1), atol=1e-6)
    part, _ = read_audio(path, offset=0.5, duration=0.25)
    np.testing.assert_array_equal(part, waveform[4000:6000])


@posix
def test_a_table_states_how_long_it_is(program, tmp_path):
    extract([program(2, np.ones((90001, 2)))], MFCCStatsTransformer(), tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv")
    assert table[["duration", "sr"]].to_numpy().tolist() == [[90001 / 8000, 8000]]


@posix
def test_it_gets_a_file_and_no_address(program, tmp_path, monkeypatch):
    path = program(1, np.ones(9))
    monkeypatch.chdir(tmp_path)
    for name in ("Artist: Song.m4a", "http:a.m4a", "-i.m4a"):
        path.rename(name)
        assert len(read_audio(name)[0]) == 9
        assert f"'file:{name}'" in (tmp_path / "words").read_text()
        path = tmp_path / name


@posix
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("data = b''", r"ffmpeg: no sound\); convert it"),
        ("sys.exit('a: moov atom not found')", r"ffmpeg: moov atom not found\)"),
        ("data = data[:20]", r"not in a format that can be read .*ffmpeg"),
        ("data = data[:28]", "the clip is empty"),
        ("time.sleep(60)", "ffmpeg gave nothing for 3 s"),
        ("out.write(data); out.flush(); time.sleep(60)", r"damaged \(ffmpeg gave nothing"),
    ],
)
def test_what_it_may_do_is_one_sentence(program, monkeypatch, more, sentence):
    if "sleep" in more:
        monkeypatch.setattr("skmer.audio.decoding._LONGEST_WAIT", 3.0)
    path = program(1, np.ones(200_000), more)
    started = time.monotonic()
    with pytest.raises(AudioDecodeError, match=rf"other\.m4a': .*{sentence}"):
        read_audio(path)
    assert time.monotonic() - started < 30


@posix
@pytest.mark.parametrize(
    "more",
    [
        "sys.stderr.write('a\\n' * 20000 + 'Error: Invalid data found\\n')",
        "out.write(data); out.flush(); os._exit(1)",
    ],
)
def test_what_it_says_is_missing_is_said(program, more):
    path = program(1, np.linspace(0, 1, 9000), more)
    with pytest.warns(TruncatedClipWarning, match="other.m4a"):
        assert len(read_audio(path)[0]) == 9000
    # Of the part that is used nothing is missing.
    assert len(read_audio(path, duration=0.5)[0]) == 4000
    with pytest.warns(TruncatedClipWarning, match=r"Row 0, '.*other\.m4a'"):
        MFCCStatsTransformer().fit_transform([path])


@posix
def test_it_is_ended_with_the_clip(program, tmp_path):
    endless = "open(folder + '/pid', 'w').write(str(os.getpid()))\nwhile True: out.write(data)"
    blocks = stream_audio(program(1, np.ones(90000), endless), sr=8000)
    assert len(next(blocks))
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, 0)
    blocks.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@posix
def test_it_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = write(tmp_path, "other.m4a", b"no format that libsndfile knows")
    with pytest.raises(AudioDecodeError, match="if it is m4a, aac or wma, install ffmpeg"):
        read_audio(path)


@real
def test_a_real_file_whole_and_cut(tmp_path, clip):
    soundfile.write(tmp_path / "a.wav", clip, SR)
    words = ("ffmpeg", "-v", "error", "-i", "a.wav", "-movflags", "faststart", "a.m4a")
    subprocess.run(words, cwd=tmp_path, check=True)
    waveform, sr = read_audio(tmp_path / "a.m4a")
    assert sr == SR
    assert 0 <= len(waveform) - len(clip) < 4096
    assert np.corrcoef(waveform[: len(clip)], clip)[0, 1] > 0.5
    data = (tmp_path / "a.m4a").read_bytes()
    with pytest.warns(TruncatedClipWarning):
        part, _ = read_audio(write(tmp_path, "cut.m4a", data[: len(data) // 2]))
    np.testing.assert_allclose(part[:-4096], waveform[: len(part) - 4096], atol=1e-4)


@real
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.wav\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile a.wav\n",
    ],
)
def test_a_list_of_other_files_is_none(tmp_path, clip, text):
    soundfile.write(tmp_path / "a.wav", clip[:SR], SR)
    with pytest.raises(AudioDecodeError, match="not in a format that can be read"):
        read_audio(write(tmp_path, "list.m4a", text.encode()))

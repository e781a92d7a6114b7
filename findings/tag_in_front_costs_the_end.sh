#!/usr/bin/env bash
# soundfile reads a wav file with an ID3v2 tag at its start, as some taggers write it, without its end if the
# input is an open file or bytes instead of a path: as many bytes are lost as the tag is long. There is no error and
# no warning, and `frames` is too small. With a path the same file is read completely. So a clip from an archive,
# an upload or cloud storage is shorter than the same clip on disk, by some tenths of a second if the
# tag contains a small picture.
#
# soundfile 0.14.0 (libsndfile 1.2.2 in its wheel), numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"
cd "$folder"
"$folder/venv/bin/python" - <<'END'
import io

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
sr, failed = 22050, False
sound = (3000 * np.sin(np.arange(2 * sr) / 7)).astype("int16")
wav = io.BytesIO()
soundfile.write(wav, sound, sr, format="WAV")


def tag(n_bytes: int) -> bytes:
    """An ID3v2.3 tag with one frame of text, padded by zeros as the format allows."""
    title = b"TIT2" + (6).to_bytes(4, "big") + b"\0\0" + b"\0Title"
    body = title.ljust(n_bytes - 10, b"\0")
    size = bytes(len(body) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + body


for n_bytes in (0, 1000, 20000):
    whole = (tag(n_bytes) if n_bytes else b"") + wav.getvalue()
    with open("clip.wav", "wb") as file:
        file.write(whole)
    by_path, _ = soundfile.read("clip.wav", dtype="int16")
    by_bytes, _ = soundfile.read(io.BytesIO(whole), dtype="int16")
    missing = len(sound) - len(by_bytes)
    print(f"tag of {n_bytes} bytes: path {len(by_path)} samples, bytes {len(by_bytes)}, {missing} lost")
    failed |= not np.array_equal(by_path, sound) or 2 * missing != n_bytes
    failed |= not np.array_equal(by_bytes, sound[: len(by_bytes)])
raise SystemExit("the behaviour has changed" if failed else 0)
END

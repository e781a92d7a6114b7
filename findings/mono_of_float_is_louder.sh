#!/usr/bin/env bash
# FFmpeg's resampler in PyAV mixes stereo to mono with gains that depend on the output format. For a
# float format ("fltp") both channels are multiplied by .707 and added: a voice in the
# middle is 3 dB louder than in either channel, and may exceed 1. For 16-bit integers ("s16") the channels are
# multiplied by .5. The input format has no effect. librosa computes the mean of the channels, so
# that the level of one file differs by 3 dB between the two decoders.
#
# av 19.0.2 (its wheel's FFmpeg), numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "av==19.0.2" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import av
import numpy as np

print("av", av.__version__, "libswresample", av.library_versions.get("libswresample"))
tone = (0.9 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)
given = {
    "fltp": np.stack([tone, tone]),
    "s16": (np.stack([tone, tone], axis=1) * 32767).astype(np.int16).reshape(1, -1),
}
failed = False
for source, samples in given.items():
    for target, expected in (("fltp", 3.01), ("s16", 0.0)):
        frame = av.AudioFrame.from_ndarray(samples, format=source, layout="stereo")
        frame.sample_rate = 48000
        mono = av.AudioResampler(format=target, layout="mono", rate=48000)
        made = [*mono.resample(frame), *mono.resample(None)]
        sound = np.concatenate([one.to_ndarray().ravel() for one in made]).astype(float)
        sound /= 32768 if target == "s16" else 1
        gain = 20 * np.log10(np.sqrt(np.mean(sound**2) / np.mean(tone**2)))
        print(f"the same tone in both channels as {source}, to mono as {target}: {gain:+.2f} dB, "
              f"largest sample {abs(sound).max():.3f}")
        failed |= abs(gain - expected) > 0.05
raise SystemExit("the behaviour has changed" if failed else 0)
END

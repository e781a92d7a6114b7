#!/usr/bin/env bash
# An mp3 file that soundfile writes at a low constant bit rate is read back with a delay. At 44.1 kHz
# and about 57 kbit/s (mono) or 99 kbit/s (stereo) and above, the audio that is read has the written length
# and no delay. At lower bit rates the first frame has no room for the tag with the delay of
# the encoder: the audio has 1,656 samples more and a delay of 1,105 samples (25 ms), without a warning. So
# the same annotations fit a song's file at one bit rate, and are shifted at another.
#
# soundfile 0.14.0 (libsndfile 1.2.2 in its wheel), numpy 2.4.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"
"$folder/venv/bin/python" - <<'END'
import io

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
sr = 44100
click = np.zeros(2 * sr)
click[sr - 32 : sr + 32] = 0.9 * np.hanning(64)
failed = False
for n_channels in (1, 2):
    sound = np.repeat(click[:, None], n_channels, axis=1)
    for level, is_late in ((0.5, False), (0.8, False), (0.95, True), (0.99, True)):
        file = io.BytesIO()
        soundfile.write(
            file, sound, sr, format="MP3", bitrate_mode="CONSTANT", compression_level=level
        )
        rate = 8 * file.tell() / 2000
        file.seek(0)
        back, _ = soundfile.read(file, always_2d=True)
        late, longer = int(abs(back[:, 0]).argmax()) - sr, len(back) - len(sound)
        print(f"{n_channels} channels, {rate:.0f} kbit/s: {longer} samples longer, {late} late")
        failed |= is_late != (late > 1000) or is_late != (longer > 1000)
raise SystemExit("the behaviour has changed" if failed else 0)
END

"""Made-up spectrograms, always the same, that show a network the range of what it may meet."""

import numpy as np

_N_FRAMES = 2
_N_SCENES = 3
_SEED = 20211
_FLOOR = -80.0


def calibration_frames(shape):
    """Frames [dB below their maximum], each a row of scenes: partials, noise, decay, silence."""
    random = np.random.default_rng(_SEED).random
    frequency = np.linspace(0, 1, shape[0])[:, np.newaxis]
    frames = []
    for _ in range(_N_FRAMES):
        scenes = []
        # Few long scenes, for every frame costs start-up time.
        for time in np.array_split(np.linspace(0, 1, shape[1]), _N_SCENES):
            vibrato = random() * np.sin(2 * np.pi * 5 * time)
            partials = 20 * random() * np.cos(2 * np.pi * frequency * (8 + 24 * random()) + vibrato)
            noise = -25 * random() * random(partials.shape)
            decay = -60 * random() * (3 * time % 1)
            scenes.append(partials + noise + decay - 60 * random() * frequency)
        scenes[-1][:, ::2] = _FLOOR
        frame = np.concatenate(scenes, axis=1)
        frames.append(np.maximum(frame - frame.max(), _FLOOR))
    return np.asarray(frames, dtype=np.float32)

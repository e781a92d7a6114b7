"""One seed for each thing that draws, all from a single one."""

import math
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state

from skmer.exceptions import InputError
from skmer.utils._words import cut_middle


def derive_seeds(random_state: int | np.random.RandomState | None, n_seeds: int) -> list[int]:
    """Spawn `n_seeds` independent seeds; an int always spawns the same ones."""
    check_seed(random_state)
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    children = np.random.SeedSequence(random_state).spawn(n_seeds)
    # 31 bits, for the libraries that take a seed as a signed 32-bit integer.
    return [int(child.generate_state(1)[0] >> 1) for child in children]


def recorded_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return the int that everything is drawn from, so that it can be recorded and used again."""
    if isinstance(random_state, Integral):
        check_seed(random_state)
        return int(random_state)
    return derive_seeds(random_state, 1)[0]


def check_seed(random_state, most: float = math.inf) -> None:
    """Refuse what nothing can be drawn from; scikit-learn takes 32 bits at most."""
    is_seed = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    is_seed = is_seed and 0 <= int(random_state) <= most
    if not (is_seed or random_state is None or isinstance(random_state, np.random.RandomState)):
        allowed = "of at least 0" if most == math.inf else f"from 0 to {most}"
        raise InputError(
            f"The 'random_state' parameter must be an int {allowed}, a numpy RandomState, or "
            f"None. Got {cut_middle(repr(random_state), 100)} instead."
        )


def seed_and_label(weights, random_state) -> tuple[int, str]:
    """Return the seed of random weights (0 for others), and what to call the weights."""
    if weights is None:
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        return seed, f"random weights (seed {seed})"
    return 0, Path(weights).name

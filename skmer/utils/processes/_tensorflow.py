"""The one place that starts TensorFlow, for the engines and for the Keras classifiers alike."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from skmer.exceptions import EngineNotAvailableError
from skmer.utils.processes._quiet import quiet_tensorflow
from skmer.utils.processes._setting import ProcessSetting

_started_by: int | None = None


def import_tensorflow():
    """Import TensorFlow to run networks: quietly, and taking no more of a GPU than it needs.

    Returns
    -------
    tensorflow : module

    Raises
    ------
    EngineNotAvailableError
        In a process that was forked from one in which TensorFlow ran: its threads are not there,
        and every computation would wait for them for ever.

    Examples
    --------
    >>> from skmer.utils import import_tensorflow
    >>> tf = import_tensorflow()
    >>> int(tf.constant(2) + 1)
    3
    """
    global _started_by
    if _started_by not in (None, os.getpid()):
        raise EngineNotAvailableError(
            "TensorFlow ran before this process was forked, and would hang here. Start processes "
            "by 'spawn', 'forkserver' or joblib's 'loky', or fork before the first network runs."
        )
    _started_by = os.getpid()
    # Read when a GPU is first used.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with quiet_tensorflow():
        import tensorflow

    return tensorflow


@contextmanager
def exact_float32() -> Iterator[None]:
    """Multiply in full float32 on a GPU inside this block, in any number of threads at once.

    A GPU would round to ten bits (TF32). The switch is the process's: the first to come sets it,
    the last to go puts back what was, so that the user's own networks run as before.

    Examples
    --------
    >>> from skmer.utils import exact_float32, import_tensorflow
    >>> tf = import_tensorflow()
    >>> with exact_float32():
    ...     tf.config.experimental.tensor_float_32_execution_enabled()
    False
    >>> tf.config.experimental.tensor_float_32_execution_enabled()
    True
    """
    with _setting.hold():
        yield


def _switch_tf32_off() -> Callable[[], object]:
    switch = import_tensorflow().config.experimental
    before = switch.tensor_float_32_execution_enabled()
    switch.enable_tensor_float_32_execution(False)
    return lambda: switch.enable_tensor_float_32_execution(before)


_setting = ProcessSetting(_switch_tf32_off)

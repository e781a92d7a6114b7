#!/usr/bin/env bash
# joblib's worker processes are replaced after they load TensorFlow, if psutil is installed. loky
# remembers the memory of a worker after its first task; a worker that holds 300 MB more after a
# later one ends, and a new process takes over. A search that fits a small model first and a Keras
# network afterwards loads TensorFlow twice in each worker. joblib warns at most that "a worker
# stopped", by "a too short worker timeout or by a memory leak". Without psutil the worker stays;
# packages that have nothing to do with audio or Keras, such as ipykernel, bring psutil.
#
# joblib 1.6.0, psutil 7.2.2, tensorflow-cpu 2.20.0; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "joblib==1.6.0" "tensorflow-cpu==2.20.0"
cat > "$folder/tasks.py" <<'END'
import os
import sys
import time


def small(i):
    time.sleep(0.1)
    return os.getpid()


def network(i):
    is_new = "tensorflow" not in sys.modules
    import tensorflow as tf

    tf.zeros((4, 64)) @ tf.zeros((64, 8))
    time.sleep(1.1)
    return os.getpid(), is_new
END
run() {
    (cd "$folder" && TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - "$1") <<'END'
import importlib.metadata
import importlib.util
import sys

from joblib import Parallel, delayed
from tasks import network, small

expected = int(sys.argv[1])
for package in ("joblib", "tensorflow-cpu"):
    print(package, importlib.metadata.version(package), end=", ")
print("psutil installed:", importlib.util.find_spec("psutil") is not None)
with Parallel(n_jobs=2) as parallel:
    parallel(delayed(small)(i) for i in range(4))
    done = parallel(delayed(network)(i) for i in range(12))
loads = sum(is_new for _, is_new in done)
print(f"12 tasks in {len({pid for pid, _ in done})} processes, for 2 workers; "
      f"TensorFlow was loaded {loads} times")
raise SystemExit("the behaviour has changed" if loads != expected else 0)
END
}
run 2
"$folder/venv/bin/pip" install --quiet "psutil==7.2.2"
run 4

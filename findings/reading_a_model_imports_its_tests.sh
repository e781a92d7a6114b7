#!/usr/bin/env bash
# `import skops.io` lists all estimators of scikit-learn. For this list it imports nearly every module of
# scikit-learn, including the estimator checks, which import pytest if it is installed. So a service
# or a command that reads one small model starts more slowly, in particular in a development
# environment: measure a cold start without pytest, as in the deployment.
#
# skops 0.16.0, scikit-learn 1.9.1, pytest 9.1.0; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "skops==0.16.0" "scikit-learn==1.9.1"
cat >"$folder/count.py" <<'END'
import sys
import time

import sklearn.svm

before, started = set(sys.modules), time.process_time()
import skops.io

new = [name for name in sys.modules if name.startswith("sklearn.") and name not in before]
print(
    f"skops {skops.__version__}, scikit-learn {sklearn.__version__}: {len(new)} more modules of sklearn,",
    f"pytest {'imported' if 'pytest' in sys.modules else 'not imported'},",
    f"{time.process_time() - started:.2f} s",
)
raise SystemExit(len(new) < 200 or ("pytest" in sys.modules) != (sys.argv[1] == "with"))
END
"$folder/venv/bin/python" "$folder/count.py" without
"$folder/venv/bin/pip" install --quiet "pytest==9.1.0"
"$folder/venv/bin/python" "$folder/count.py" with

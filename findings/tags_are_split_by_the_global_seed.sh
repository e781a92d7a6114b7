#!/usr/bin/env bash
# scikit-multilearn's IterativeStratification, which many studies of mood tags use, cannot be made
# reproducible by its `random_state`: any value except None raises an error, since `shuffle` is False and is
# not a parameter. With None two calls on the same tags return different folds. The folds depend on numpy's global
# seed only, so that any earlier code that draws from this generator changes the split.
#
# scikit-multilearn 0.2.0, scikit-learn 1.7.2, numpy 2.2.6; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "scikit-multilearn==0.2.0" "scikit-learn==1.7.2" "numpy==2.2.6" "scipy==1.15.3"
"$folder/venv/bin/python" - <<'END'
import numpy as np
import sklearn
from skmultilearn.model_selection import IterativeStratification

print("scikit-multilearn 0.2.0, scikit-learn", sklearn.__version__, "numpy", np.__version__)
rng = np.random.default_rng(0)
tags = (rng.random((300, 8)) < np.linspace(0.02, 0.5, 8)).astype(int)
rows = np.zeros((300, 1))


def folds(**parameters):
    return [test.tolist() for _, test in IterativeStratification(5, order=1, **parameters).split(rows, tags)]


twice = folds() == folds()
print("random_state=None, twice the same folds:", twice)
try:
    folds(random_state=0)
    raised = False
except ValueError as error:
    raised = True
    print("random_state=0 raises:", error)
np.random.seed(0)
first = folds()
np.random.seed(0)
seeded = folds() == first
print("after np.random.seed(0), twice the same folds:", seeded)
raise SystemExit(0 if raised and seeded and not twice else "the behaviour has changed")
END

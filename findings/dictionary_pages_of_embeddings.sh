#!/usr/bin/env bash
# By default pyarrow and pandas write every column of a Parquet file with a dictionary. For
# embeddings, whose numbers hardly repeat, the compressed file is 1.3 to 1.5 times as large as the numbers
# themselves: the writer first writes the dictionary, with an index for each of its rows, and then abandons it.
# With use_dictionary=False the file is as large as the numbers, and with byte_stream_split and zstd it is smaller.
#
# pyarrow 26.0.1, numpy 2.4.6, pandas 3.1.1; 2026-11-30.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyarrow==26.0.1" "numpy==2.4.6" "pandas==3.1.1"
"$folder/venv/bin/python" - <<'END'
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

print("pyarrow", pa.__version__, "pandas", pd.__version__)
failed = False
for n_rows in (1000, 10000, 100000):
    numbers = np.random.default_rng(0).standard_normal((n_rows, 64)).astype(np.float32)
    table = pd.DataFrame(numbers, columns=[f"e{i}" for i in range(64)])
    sizes = {}
    for name, options in {
        "as they come": {},
        "without dictionary": {"use_dictionary": False},
        "byte_stream_split, zstd": {
            "use_dictionary": False, "use_byte_stream_split": True, "compression": "zstd",
        },
    }.items():
        file = io.BytesIO()
        table.to_parquet(file, **options)
        sizes[name] = file.tell() / numbers.nbytes
    print(n_rows, "rows of 64 numbers, size of the file by that of the numbers:",
          {name: round(size, 2) for name, size in sizes.items()})
    first, second, third = sizes.values()
    failed |= not (first > 1.25 and second < 1.2 and third < second < first)
raise SystemExit("the behaviour has changed" if failed else 0)
END

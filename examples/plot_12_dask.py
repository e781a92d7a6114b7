"""
Scaling with Dask
=================

Transformers and ``extract`` distribute clips with joblib, so one line runs them on a cluster. In this example
the cluster is two workers in this process; ``Client("tcp://scheduler:8786")`` connects to a cluster of several
machines, see :ref:`scaling`.
"""

# %%
from dask.distributed import Client

client = Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)

# %%
# ``extract`` writes one table of any number of clips. If it was killed, the same call resumes.
from pathlib import Path
from tempfile import TemporaryDirectory

from dask.distributed import get_task_stream
from joblib import parallel_config

from skmer import MusiCNNTransformer
from skmer.datasets import load_toy_emotions
from skmer.embeddings import extract

folder = TemporaryDirectory()
table = Path(folder.name, "embeddings.parquet")
paths = load_toy_emotions().data[:24]
musicnn = MusiCNNTransformer()
with get_task_stream(client) as stream, parallel_config(backend="dask"):
    extract(paths, musicnn, table, n_jobs=2)

# %%
# The table has one row for each clip, in the order of the clips, for any distribution over the workers.
import pandas as pd

pd.read_parquet(table).filter(like="musicnn").iloc[:3, :5].round(2)

# %%
# The figure shows the tasks of each worker. The first clips wait until the network is loaded.
import matplotlib.pyplot as plt

tasks = [
    (task["worker"], span["start"], span["stop"])
    for task in stream.data
    for span in task["startstops"]
    if span["action"] == "compute"
]
workers = sorted({worker for worker, _, _ in tasks})
begin = min(start for _, start, _ in tasks)
figure, ax = plt.subplots(figsize=(7, 2), layout="constrained")
for worker, start, stop in tasks:
    place = workers.index(worker)
    ax.barh(
        place, stop - start, left=start - begin, color=f"C{place}", edgecolor="white", linewidth=1
    )
ax.set_yticks(range(len(workers)), [f"worker {place + 1}" for place in range(len(workers))])
ax.set(xlabel="time [s]", title=f"{len(paths)} clips on two workers")
ax.spines[["top", "right"]].set_visible(False)

# %%
client.close()
folder.cleanup()

"""The same rows however the work is spread, no more threads than cores, and bounded memory."""

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile

from skmer import L3Transformer, MFCCStatsTransformer, VGGishTransformer
from skmer.embeddings.mfcc import MFCCRecipe

LIMIT_MB = 1500
PROCESSES = ("loky", "multiprocessing")
_CHILD = """
import sys
from pathlib import Path
import skmer
{work}
# Not ru_maxrss, which a child inherits from its parent.
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024)
"""


@pytest.fixture(scope="module")
def mfcc_rows(paths):
    return MFCCStatsTransformer().fit_transform(paths)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two worker processes on this machine, as joblib's backend."""
    distributed = pytest.importorskip("dask.distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.parametrize(
    "backend", ["threading", *(pytest.param(name, marks=pytest.mark.slow) for name in PROCESSES)]
)
def test_mfcc_rows_are_the_same_on_every_backend(paths, mfcc_rows, backend):
    with joblib.parallel_config(backend, n_jobs=2):
        spread = MFCCStatsTransformer().fit_transform(paths)
    np.testing.assert_array_equal(spread, mfcc_rows)


@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
def test_l3_rows_are_the_same_in_threads(paths):
    transformer = L3Transformer(weights=None, random_state=0, input_repr="mel128", hop_size=1.0)
    alone = transformer.fit_transform(paths[:3])
    with joblib.parallel_config("threading", n_jobs=2):
        spread = transformer.transform(paths[:3])
    np.testing.assert_array_equal(spread, alone)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
@pytest.mark.parametrize(
    "transformer",
    [
        MFCCStatsTransformer(),
        VGGishTransformer(weights=None, random_state=0),
        L3Transformer(weights=None, random_state=0, input_repr="mel128", hop_size=1.0),
    ],
    ids=["mfcc", "vggish", "l3"],
)
def test_two_workers_of_a_dask_cluster_give_the_rows_of_one_process(
    paths, tmp_path, cluster, transformer
):
    alone = transformer.fit_transform(paths)
    cached = transformer.set_params(memory=tmp_path).fit(paths)
    with joblib.parallel_config("dask"):
        assert joblib.effective_n_jobs() == 2
        spread = cached.transform(paths)
    np.testing.assert_array_equal(spread, alone)
    # What the workers have put into the cache is found here.
    assert len(list(tmp_path.rglob("*.clip"))) == len(paths)
    np.testing.assert_array_equal(cached.transform(paths), alone)


@pytest.mark.parametrize("n_jobs", [None, 1, 2, 4])
def test_jobs_share_the_cores(paths, monkeypatch, n_jobs):
    granted = set()
    compute = MFCCRecipe.compute

    def note(self, waveform, n_threads):
        granted.add(n_threads)
        return compute(self, waveform, n_threads)

    monkeypatch.setattr(MFCCRecipe, "compute", note)
    with joblib.parallel_config("threading"):
        MFCCStatsTransformer(n_jobs=n_jobs).fit_transform(paths)
    # None: the engine alone decides, and takes what the process may have.
    expected = None if n_jobs in (None, 1) else max(1, joblib.cpu_count() // n_jobs)
    assert granted == {expected}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Four files of five seconds."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for i in range(4):
        audio = 0.1 * rng.standard_normal(5 * 44100)
        soundfile.write(folder / f"{i}.wav", audio, 44100, subtype="PCM_16")
    return folder


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="peak memory is read from Linux' /proc"
)


def peak_mb(work, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", _CHILD.format(work=work)]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[-1])


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("name, few, many", [("MFCCStats", 50, 1000), ("VGGish", 10, 60)])
def test_memory_does_not_grow_with_the_number_of_clips(clips, name, few, many):
    weights = "" if name == "MFCCStats" else "weights=None, random_state=0"
    work = (
        "paths = [f'{sys.argv[1]}/{i % 4}.wav' for i in range(int(sys.argv[2]))]\n"
        f"skmer.{name}Transformer({weights}).fit_transform(paths)"
    )
    least, most = peak_mb(work, clips, few), peak_mb(work, clips, many)
    assert most < 1.2 * least
    assert most < LIMIT_MB


@needs_proc
@pytest.mark.slow
def test_a_file_of_two_hours_is_read_in_blocks(tmp_path):
    path, sr = tmp_path / "long.wav", 8000
    minute = (2000 * np.random.default_rng(0).standard_normal(60 * sr)).astype(np.int16)
    with soundfile.SoundFile(path, "w", sr, 1, subtype="PCM_16") as file:
        for _ in range(120):
            file.write(minute)
    work = "skmer.MFCCStatsTransformer().fit_transform(sys.argv[1:])"
    assert peak_mb(work, path) < LIMIT_MB

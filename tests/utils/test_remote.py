"""Files at URLs: what is supported, where results go, and what is refused before any work."""

import functools
import http.server
import io
import threading
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import MFCCStatsTransformer
from skmer.datasets import load_csv
from skmer.datasets.own import find_clips
from skmer.embeddings import extract, sources
from skmer.exceptions import AudioDecodeError, InputError, MissingPackageError
from skmer.models import predict_batches, predict_clips
from skmer.models.predict import is_extracted
from skmer.utils import remote
from skmer.utils.files import expand_path

MFCC = MFCCStatsTransformer(n_mfcc=5, deltas=0)


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Five clips in the memory of fsspec; where fetched files lie is temporary."""
    monkeypatch.setattr(remote.files, "user_folder", lambda kind: tmp_path / kind)
    files = fsspec.filesystem("memory")
    rng = np.random.default_rng(0)
    for i in range(5):
        stream = io.BytesIO()
        soundfile.write(stream, 0.1 * rng.standard_normal(3000), 8000, format="WAV")
        files.pipe_file(f"/songs/{i}.wav", stream.getvalue())
    files.pipe_file("/songs/notes.txt", b"no audio")
    yield "memory://songs"
    files.rm("/", recursive=True)


def contents(bucket):
    return [io.BytesIO(fsspec.filesystem("memory").cat(f"/songs/{i}.wav")) for i in range(5)]


def fitted(bucket, **settings):
    model = make_pipeline(clone(MFCC).set_params(**settings), GaussianNB())
    return model.fit(contents(bucket)[:4], ["a", "b"] * 2)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npz"])
def test_in_and_out(bucket, tmp_path, suffix):
    urls = [f"{bucket}/{i}.wav" for i in range(5)]
    done = extract([*urls, f"{bucket}/none.wav"], MFCC, f"memory://out/t{suffix}")
    assert (done.path, done.n_clips, done.n_failed) == (f"memory://out/t{suffix}", 6, 1)
    files = fsspec.filesystem("memory")
    local = tmp_path / f"t{suffix}"
    files.get(f"/out/t{suffix}", str(local))
    if suffix == ".csv":
        table = pd.read_csv(local)
        assert table["error"].tolist()[5] == "the file does not exist."
        numbers = table.filter(like="mfcc_").to_numpy(np.float32)
    elif suffix == ".npz":
        numbers = np.load(local)["embeddings"]
    else:
        numbers = pd.read_parquet(local).filter(like="mfcc_").to_numpy()
    np.testing.assert_array_equal(numbers[:5], MFCC.fit_transform(contents(bucket)))
    np.testing.assert_array_equal(numbers[:5], MFCC.fit_transform(urls))
    # Resumed from the table that is there, and added to.
    assert extract(urls[:6], MFCC, f"memory://out/t{suffix}", append=True).n_computed == 0
    with pytest.raises(InputError, match=f"'memory://out/t{suffix}' has 6 clips"):
        extract(urls[:1], MFCC, f"memory://out/t{suffix}")


@pytest.mark.parametrize("out", ["t.parquet", "t.csv", "t.npz", "shards/"])
def test_predictions_from_a_table(bucket, out):
    urls = [f"{bucket}/{i}.wav" for i in range(4)]
    extract(urls, MFCC, f"memory://out/{out}", **{"shard_size": 3} if out == "shards/" else {})
    model = fitted(bucket)
    (found,) = predict_batches(model, f"memory://out/{out}")
    pd.testing.assert_frame_equal(found, predict_clips(model, urls))
    with pytest.raises(InputError, match=r"The table .memory://out/.*made with n_mfcc 5, and the"):
        predict_clips(fitted(bucket, n_mfcc=4), f"memory://out/{out}")


def test_what_is_a_table(bucket):
    fsspec.filesystem("memory").pipe_file("/songs/list.csv", b"path")
    assert not any(map(is_extracted, (f"{bucket}/1.wav", bucket, f"{bucket}/list.csv")))
    with pytest.raises(FileNotFoundError, match=f"The file '{bucket}/none.parquet' does not exist"):
        predict_clips(fitted(bucket), f"{bucket}/none.parquet")


def test_shards(bucket, tmp_path):
    urls = [f"{bucket}/{i}.wav" for i in range(5)]
    extract(urls[:4], MFCC, "memory://out/shards/", shard_size=2)
    assert extract(urls, MFCC, "memory://out/shards/").n_computed == 1
    assert extract(iter(urls), MFCC, "memory://out/shards/", append=True).n_computed == 0
    with fsspec.filesystem("memory").open("/out/shards/part-00002.parquet") as stream:
        assert pd.read_parquet(stream)["path"].tolist() == urls[4:]


def test_a_bad_url_is_an_error_of_its_clip(bucket):
    with pytest.raises(
        AudioDecodeError, match=r"Row 0, 'memory://songs/none.wav': the file does n"
    ):
        MFCC.fit_transform([f"{bucket}/none.wav"])


def test_folders_and_patterns(bucket, tmp_path):
    urls = [f"memory:///songs/{i}.wav" for i in range(5)]
    assert find_clips([bucket])[0]["path"] == urls
    assert find_clips([f"{bucket}/[12]*"])[0]["path"] == urls[1:3]
    (tmp_path / "list.csv").write_text(f"path\n{urls[0]}\n")
    assert find_clips([tmp_path / "list.csv"])[0]["path"] == urls[:1]


def test_clips_by_http(tmp_path):
    pytest.importorskip("aiohttp")
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).standard_normal(3000) / 9, 8000)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = extract([f"{url}/a.wav", f"{url}/b.wav"], MFCC, tmp_path / "t.parquet")
        server.shutdown()
    table = pd.read_parquet(done.path)
    assert table["error"].isna().tolist() == [True, False]
    assert table["error"][1] == "the file does not exist."
    numbers = table.filter(like="mfcc_").to_numpy()[:1]
    np.testing.assert_array_equal(numbers, MFCC.fit_transform([tmp_path / "a.wav"]))


@pytest.mark.parametrize("url", ["s3://bucket/x", "gs://bucket/x", "nonsense://bucket/x"])
def test_what_is_not_supported_is_raised_before_the_work(tmp_path, monkeypatch, url):
    """Neither after it, nor written into a folder called "s3:"."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "embed_clip", None)
    monkeypatch.setattr(fsspec, "filesystem", _without_packages)
    soundfile.write("a.wav", np.zeros(800), 8000)
    errors = (InputError, MissingPackageError)
    for paths, out in (
        ([f"{url}.wav"], "t.npz"),
        (["a.wav"], f"{url}.npz"),
        (["a.wav"], f"{url}/"),
    ):
        with pytest.raises(errors, match=r"skmer\[remote\]|is not one that fsspec has"):
            extract(paths, MFCC, out)
    with pytest.raises(errors):
        MFCC.fit([f"{url}.wav"])
    for call in (load_csv, expand_path, MFCCStatsTransformer(memory=url).fit_transform):
        with pytest.raises(InputError, match="is a URL, and must be a path on this machine here"):
            call(url if call in (load_csv, expand_path) else ["a.wav"])
    assert [path.name for path in Path().iterdir()] == ["a.wav"]


def _without_packages(protocol):
    if protocol == "nonsense":
        raise ValueError("Protocol not known: nonsense")
    raise ImportError(f"Install the package of {protocol}")


def test_results_are_not_written_to_http(tmp_path):
    with pytest.raises(InputError, match="can be read only"):
        extract(["a.wav"], MFCC, "https://example.org/t.npz")

""" "pretrained" from end to end: the registry, a mirror on loopback, the list, and no network."""

import gzip
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from skmer.embeddings import loading as _load
from skmer.embeddings import verify as _listing
from skmer.embeddings.loading import l3_weights_digest, load_l3_weights
from skmer.embeddings.readers import digest_arrays
from skmer.embeddings.verify import describe_weights, fetch_weights, list_weights
from skmer.embeddings.weights import REGISTRY
from skmer.exceptions import WeightsIntegrityError, WeightsNotFoundError
from skmer.utils.digest import file_digest as checksum

SETTINGS = {"content_type": "env", "input_repr": "mel128", "random_state_seed": 0}
NAME = "openl3-mel128-env"


@pytest.fixture
def published(server, folder, monkeypatch, tmp_path, write_h5, as_layers):
    """Arrays that the server has in the place of mel128_env's, under a checksum of their own."""
    arrays = load_l3_weights(None, **SETTINGS).arrays
    plain = write_h5(tmp_path / "plain.h5", as_layers(arrays))
    server.content = gzip.compress(plain.read_bytes(), 0)
    (tmp_path / "packed").write_bytes(server.content)
    blob = {"git-blob": checksum(tmp_path / "packed", "git-blob")}
    registry = {**REGISTRY, NAME: replace(REGISTRY[NAME], checksums=blob)}
    monkeypatch.setattr(_load, "REGISTRY", registry)
    monkeypatch.setattr(_listing, "REGISTRY", registry)
    monkeypatch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
    return arrays


def test_pretrained_is_fetched_verified_and_read(server, folder, published):
    assert l3_weights_digest("pretrained", **SETTINGS) == digest_arrays(published)
    loaded = load_l3_weights("pretrained", **SETTINGS)
    assert loaded.label == "pretrained"
    np.testing.assert_array_equal(loaded.arrays[4], published[4])
    assert server.requests == [("/openl3_audio_mel128_env-v0_4_0.h5.gz", None)]


def test_list_tells_missing_verified_and_wrong_apart(folder, published):
    def row():
        return next(row for row in list_weights() if row.name == NAME)

    assert (row().state, row().present) == ("missing", False)
    assert not folder.exists()
    load_l3_weights("pretrained", **SETTINGS)
    assert (row().state, row().present) == ("verified", True)
    row().path.write_bytes(b"damaged")
    assert (row().state, row().size) == ("wrong", 7)
    assert row().path.exists()


def test_registry_is_complete(folder):
    rows = list_weights()
    assert [row.name for row in rows if row.name.startswith("openl3")] == [
        f"openl3-{shape}-{content}"
        for shape in ("linear", "mel128", "mel256")
        for content in ("env", "music")
    ]
    assert [row.name for row in rows[6:]] == ["musicnn-msd", "musicnn-mtt", "vggish", "vggish-pca"]
    for row in rows:
        entry = REGISTRY[row.name]
        if entry.base_url is None:
            assert row.source == "the package musicnn==0.1.0"
        else:
            assert row.source == entry.base_url + row.file
            assert row.source.startswith("https://")
        assert row.licence
        assert row.citation
        assert row.path == folder / row.file
    lengths = {"git-blob": 40, "md5": 32, "sha256": 64}
    for entry in REGISTRY.values():
        assert entry.checksums
        for kind, value in (entry.checksums | entry.installed_checksums).items():
            assert re.fullmatch(rf"[0-9a-f]{{{lengths[kind]}}}", value)


def test_unknown_name_lists_the_names():
    for ask in (fetch_weights, describe_weights):
        with pytest.raises(ValueError, match=r"one of openl3-linear-env, .*Got 'l3' instead"):
            ask("l3")


def test_fetch_names_a_wrong_file(server, folder):
    server.content = b"another file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKMER_WEIGHTS_MIRROR", server.url)
        with pytest.raises(WeightsIntegrityError, match="vggish_pca_params"):
            fetch_weights("vggish-pca")


def test_without_a_network_the_sentence_comes_within_five_seconds(folder):
    start = time.monotonic()
    with pytest.raises(WeightsNotFoundError) as caught:
        load_l3_weights("pretrained", **SETTINGS)
    assert time.monotonic() - start < 5
    message = str(caught.value)
    for part in (
        "openl3_audio_mel128_env-v0_4_0.h5.gz",
        "https://github.com/marl/openl3/raw/models/",
        str(folder),
        "weights=None",
    ):
        assert part in message


def test_checksums_against_known_values(tmp_path):
    path = tmp_path / "hello"
    path.write_bytes(b"hello\n")
    # the first as `git hash-object` prints it
    assert checksum(path, "git-blob") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert checksum(path, "md5") == "b1946ac92492d2347c6235b4d2611184"

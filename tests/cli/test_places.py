"""`skmer weights`, `skmer datasets`, `skmer cache`: what is on this machine."""

import pytest


def test_weights_list_says_where_files_belong(skmer, tmp_path):
    outcome = skmer("weights", "list")
    assert outcome.status == 0
    assert outcome.out.count("missing") == 13
    assert "openl3_audio_mel256_music-v0_4_0.h5.gz" in outcome.out
    assert str(tmp_path / "weights") in outcome.err


def test_weights_verify(skmer, tmp_path):
    assert skmer("weights", "verify").out == "No weights are on this machine to verify.\n"
    outcome = skmer("weights", "verify", "vggish")
    assert outcome.status == 1
    assert outcome.out.startswith("vggish: missing")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vggish_model.ckpt").write_text("something else")
    outcome = skmer("weights", "verify")
    assert outcome.status == 1
    assert "FAILED: checksum: does not match the published one" in outcome.out


@pytest.mark.parametrize("verb", ["fetch", "verify"])
def test_unknown_weights(one_sentence, verb):
    message = one_sentence("weights", verb, "vgg")
    assert "vggish, vggish-pca, mert, clap, ast. Got 'vgg'" in message


def test_fetching_weights_without_a_network(one_sentence):
    assert "cannot be downloaded" in one_sentence("weights", "fetch", "vggish-pca")


def test_datasets(skmer, tmp_path):
    outcome = skmer("datasets", "list")
    assert outcome.status == 0
    for name in ("toy", "ravdess-song", "emomusic", "4q", "bimodal"):
        assert f"\n{name} " in outcome.out
    outcome = skmer("datasets", "fetch", "toy")
    assert outcome.err == f"toy: 80 clips below {tmp_path / 'data'}\n"
    next((tmp_path / "data").rglob("ada_*.wav")).unlink()
    outcome = skmer("datasets", "validate", "toy")
    assert outcome.status == 1
    assert "1 file missing" in outcome.out


@pytest.mark.parametrize("verb", ["fetch", "validate"])
def test_unknown_datasets(one_sentence, verb):
    assert "must be one of toy, toy-tags, ravdess-song" in one_sentence("datasets", verb, "mine")
    assert "Did you mean 'bimodal'?" in one_sentence("datasets", verb, "bi-modal")


def test_a_dataset_that_is_not_here_to_validate(one_sentence):
    assert "--data-home" in one_sentence("datasets", "validate", "bimodal")


def test_cache(skmer, one_sentence, clips):
    assert "no cache folder" in one_sentence("cache", "size", "nowhere")
    skmer("extract", clips, "--features", "mfcc", "--out", "t.npz", "--cache", "kept")
    assert skmer("cache", "size", "kept").out.startswith("20 entries, ")
    outcome = skmer("cache", "prune", "kept", "--max-bytes", 0)
    assert outcome.out == "20 entries removed, 0 bytes left\n"

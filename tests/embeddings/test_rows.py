"""Row i is clip i, bit for bit, whatever the order, the jobs, the cache, and failing neighbours."""

import os
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.audio import read_audio
from skmer.embeddings.mfcc import MFCCRecipe
from skmer.exceptions import AudioDecodeError, FailedClipsWarning, IgnoredCacheWarning
from skmer.utils import processes
from skmer.utils.digest import AudioDigest

MISSING = "no-such-clip.wav"


@pytest.fixture(scope="module")
def rows(paths):
    """What each path gives on its own."""
    return {path: MFCCStatsTransformer().fit_transform([path])[0] for path in paths}


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_row_i_is_clip_i(data, paths, rows, tmp_path_factory):
    picks = data.draw(st.lists(st.sampled_from([*paths, MISSING]), min_size=1, max_size=8))
    cached = data.draw(st.booleans())
    threads = data.draw(st.sampled_from([None, 2]))
    memory = tmp_path_factory.mktemp("cache") if cached else None
    mfcc = MFCCStatsTransformer(on_error="nan", memory=memory)
    for _ in range(2):
        with joblib.parallel_config("threading", n_jobs=threads):
            if MISSING in picks:
                with pytest.warns(FailedClipsWarning) as caught:
                    out = mfcc.fit_transform(picks)
                n_failed = f"{picks.count(MISSING)} of {len(picks)} clips could not be read"
                assert str(caught[0].message).startswith(n_failed)
            else:
                out = mfcc.fit_transform(picks)
        assert len(out) == len(picks)
        for pick, row in zip(picks, out):
            expected = rows.get(pick, np.full(120, np.nan))
            np.testing.assert_array_equal(row, expected)


def test_a_failing_clip_is_named_with_its_row(paths):
    with pytest.raises(AudioDecodeError, match=f"Row 1, '{MISSING}': the file does not exist") as e:
        MFCCStatsTransformer(n_jobs=2).fit_transform([paths[0], MISSING, paths[1]])
    assert e.value.row == 1


def test_after_a_failing_clip_no_job_continues(paths, monkeypatch):
    closed, real = [], processes.run_parallel

    def run_parallel(*args, **options):
        try:
            yield from real(*args, **options)
        finally:
            closed.append(True)

    monkeypatch.setattr(processes, "run_parallel", run_parallel)
    with pytest.raises(AudioDecodeError) as kept:
        MFCCStatsTransformer(n_jobs=2).fit_transform([MISSING, *paths])
    # Also while the error is kept, whose traceback holds all variables.
    assert isinstance(kept.value, AudioDecodeError)
    assert closed


def test_failing_frames_are_one_row_of_nan(paths):
    with pytest.warns(FailedClipsWarning, match="1 of 2 clips"):
        frames = (
            MFCCStatsTransformer(on_error="nan")
            .fit([MISSING])
            .transform_frames([MISSING, paths[0]])
        )
    assert frames[0].shape == (1, 20)
    assert np.isnan(frames[0]).all()
    assert np.isfinite(frames[1]).all()


@pytest.mark.parametrize(
    "transformer",
    [
        L3Transformer(weights=None, random_state=0, input_repr="mel128", hop_size=1.0),
        MusiCNNTransformer(weights=None, random_state=0),
        MFCCStatsTransformer(),
    ],
    ids=lambda transformer: type(transformer).__name__,
)
@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
def test_any_number_of_threads_gives_the_same_bits(paths, transformer):
    alone = clone(transformer).set_params(n_jobs=1).fit_transform(paths[:3])
    for n_jobs in (2, -1):
        spread = clone(transformer).set_params(n_jobs=n_jobs).fit_transform(paths[:3])
        np.testing.assert_array_equal(spread, alone)


def test_worker_processes_give_the_same_bits(paths):
    alone = MFCCStatsTransformer().fit_transform(paths[:3])
    with joblib.parallel_config("loky", n_jobs=2):
        spread = MFCCStatsTransformer().fit_transform(paths[:3])
    np.testing.assert_array_equal(spread, alone)


def test_a_rewritten_file_is_noticed_and_a_copy_is_not_computed_again(paths, tmp_path):
    mfcc = MFCCStatsTransformer(memory=tmp_path / "cache")
    song = tmp_path / "song.wav"
    shutil.copy(paths[0], song)
    first = mfcc.fit_transform([song])
    status = os.stat(song)
    shutil.copy(paths[1], song)
    os.utime(song, ns=(status.st_atime_ns, status.st_mtime_ns))
    np.testing.assert_array_equal(
        mfcc.fit_transform([song]), MFCCStatsTransformer().fit_transform([paths[1]])
    )
    entries = len(list((tmp_path / "cache").rglob("*.clip")))
    shutil.copy(song, tmp_path / "copy.wav")
    np.testing.assert_array_equal(mfcc.fit_transform([paths[0]]), first)
    mfcc.fit_transform([tmp_path / "copy.wav"])
    assert len(list((tmp_path / "cache").rglob("*.clip"))) == entries == 2


def test_every_setting_that_changes_numbers_changes_the_entry(paths, tmp_path):
    base = MFCCStatsTransformer(memory=tmp_path)
    plain = base.fit_transform(paths[:1])
    for change in (
        {"n_mfcc": 13},
        {"target_sr": 16000},
        {"n_fft": 1024},
        {"hop_length": 256},
        {"n_mels": 64},
        {"offset": 0.1},
        {"duration": 0.3},
        {"resampler": "kaiser_best"},
    ):
        cached = MFCCStatsTransformer(memory=tmp_path, **change).fit_transform(paths[:1])
        fresh = MFCCStatsTransformer(**change).fit_transform(paths[:1])
        np.testing.assert_array_equal(cached, fresh)
    entries = len(list(tmp_path.rglob("*.clip")))
    assert entries == 9
    for change in ({"statistics": ("max",)}, {"deltas": 0}, {"statistics": None}, {"n_jobs": 2}):
        MFCCStatsTransformer(memory=tmp_path, **change).fit_transform(paths[:1])
    assert len(list(tmp_path.rglob("*.clip"))) == entries
    np.testing.assert_array_equal(base.fit_transform(paths[:1]), plain)


def test_settings_are_read_once_a_call(paths, tmp_path, monkeypatch):
    """Any of them may be a path, whose content is asked of the disk."""
    mfcc = MFCCStatsTransformer(memory=tmp_path)
    expected, asked = mfcc.fit_transform(paths), []
    monkeypatch.setattr(
        "skmer.embeddings.recipe.key_of", lambda value: asked.append(value) or value
    )
    np.testing.assert_array_equal(mfcc.transform(paths), expected)
    assert len(paths) > 1
    assert len(asked) == len(MFCCRecipe.decisive)


def test_a_damaged_entry_is_computed_again(paths, tmp_path):
    mfcc = MFCCStatsTransformer(memory=tmp_path)
    first = mfcc.fit_transform(paths[:1])
    (entry,) = tmp_path.rglob("*.clip")
    entry.write_bytes(entry.read_bytes()[:-7])
    with pytest.warns(IgnoredCacheWarning, match="is damaged"):
        again = mfcc.fit_transform(paths[:1])
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("transformer", [L3Transformer, VGGishTransformer])
def test_no_network_is_loaded_when_every_clip_is_cached(
    transformer, waveforms, tmp_path, monkeypatch
):
    embed = transformer(weights=None, random_state=0, memory=joblib.Memory(tmp_path, verbose=0))
    clip = [waveforms[1]]
    mean = embed.fit_transform(clip)

    def refuse(*args, **kwargs):
        raise AssertionError("the network was loaded")

    monkeypatch.setattr("skmer.embeddings.recipe.get_engine", refuse)
    np.testing.assert_array_equal(embed.fit_transform(clip), mean)
    embed.set_params(pooling=("mean", "max")).fit_transform(clip)
    with pytest.raises(AssertionError, match="was loaded"):
        embed.set_params(random_state=1).fit_transform(clip)


@pytest.mark.parametrize("pooling", [None, "mean"])
def test_a_failing_clip_is_nan_in_the_whole_row(waveforms, pooling):
    vggish = VGGishTransformer(weights=None, random_state=0, pooling=pooling, on_error="nan")
    with pytest.warns(FailedClipsWarning):
        out = vggish.fit_transform([waveforms[2], MISSING])
    assert np.isnan(out[1]).all()
    assert np.isfinite(out[0]).all()


def test_digests_of_the_audio_come_with_the_rows(paths, tmp_path, monkeypatch):
    copy = tmp_path / "copy.flac"
    audio, sr = soundfile.read(paths[0], dtype="float32")
    soundfile.write(copy, audio, sr, subtype="PCM_16")
    mfcc = MFCCStatsTransformer(memory=tmp_path, on_error="nan")
    X = [*paths, copy, MISSING]
    with pytest.warns(FailedClipsWarning):
        _, digests = mfcc.fit(X)._transform_with_digests(X)
    assert digests[-1] is None
    assert digests[0] == digests[5]
    assert len(set(digests)) == 6
    expected = AudioDigest()
    expected.update(*read_audio(paths[1]))
    assert digests[1] == expected.hexdigest()
    # Afterwards nothing has to be decoded for them, whatever is made of the frames.
    monkeypatch.setattr(MFCCRecipe, "compute", None)
    again, same = mfcc.set_params(statistics=("max",))._transform_with_digests(paths)
    assert same == digests[:5]
    assert again.shape == (5, 60)


@pytest.mark.parametrize("memory", [False, True])
def test_a_file_that_changes_while_it_is_read_is_an_error(paths, tmp_path, monkeypatch, memory):
    song = tmp_path / "song.wav"
    shutil.copy(paths[0], song)
    compute = MFCCRecipe.compute

    def replace_meanwhile(self, waveform, n_threads):
        frames = compute(self, waveform, n_threads)
        os.replace(shutil.copy(paths[1], tmp_path / "new.wav"), song)
        return frames

    mfcc = MFCCStatsTransformer(memory=tmp_path / "cache" if memory else None)
    with monkeypatch.context() as patched:
        patched.setattr(MFCCRecipe, "compute", replace_meanwhile)
        with pytest.raises(AudioDecodeError, match=r"Row 0.*song\.wav.*changed while it was read"):
            mfcc.fit_transform([song])
    assert not list((tmp_path / "cache").rglob("*.clip"))
    np.testing.assert_array_equal(mfcc.fit_transform([song]), mfcc.fit_transform(paths[1:2]))


def test_a_cache_that_cannot_be_used_is_one_warning(paths, tmp_path):
    (tmp_path / "skmer-clips").write_text("a file where the folder should be")
    with pytest.warns(IgnoredCacheWarning, match="and so were 4 others") as caught:
        rows = MFCCStatsTransformer(memory=tmp_path).fit_transform(paths)
    assert len(caught) == 1
    np.testing.assert_array_equal(rows, MFCCStatsTransformer().fit_transform(paths))


def test_joblibs_no_cache_is_no_cache(paths):
    assert MFCCStatsTransformer(memory=joblib.Memory(None)).fit_transform(paths).shape == (5, 120)


def test_a_search_over_numpys_numbers_has_a_cache(paths, tmp_path):
    for number in (13, np.int64(13), np.int8(13)):
        MFCCStatsTransformer(n_mfcc=number, offset=0, memory=tmp_path).fit_transform(paths[:1])
    for offset in (0.0, np.float64(0), np.int64(0)):
        MFCCStatsTransformer(n_mfcc=13, offset=offset, memory=tmp_path).fit_transform(paths[:1])
    assert len(list(tmp_path.rglob("*.clip"))) == 1


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "clip.wav")
    with pytest.raises(AudioDecodeError, match=r"Row 0.*clip\.wav"):
        MFCCStatsTransformer(memory=tmp_path).fit_transform([tmp_path / "clip.wav"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another user")
def test_two_users_have_one_cache(paths, tmp_path_factory):
    for folder in Path(paths[0]).parents:
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o055)
    memory = tmp_path_factory.mktemp("shared")
    memory.chmod(0o755)
    mfcc = MFCCStatsTransformer(memory=memory).fit(paths)
    first = mfcc.transform(paths[:4])
    os.seteuid(65534)
    try:
        np.testing.assert_array_equal(mfcc.transform(paths[:4]), first)
        # What the other user may not add to is one line.
        with pytest.warns(IgnoredCacheWarning, match="could not be written") as caught:
            mfcc.set_params(n_mfcc=13).transform(paths)
    finally:
        os.seteuid(0)
    assert len(caught) == 1


def test_any_number_of_bad_clips_is_one_warning_of_bounded_length():
    X = [f"/music/artist_{i % 100}/{'x' * (i % 300)}track_{i:06d}.wav" for i in range(500)]
    with pytest.warns(FailedClipsWarning) as caught:
        out = MFCCStatsTransformer(on_error="nan").fit_transform(X)
    assert np.isnan(out).all()
    (message,) = [str(one.message) for one in caught]
    assert message.startswith("500 of 500 clips could not be read")
    assert "Row 0" in message
    assert len(message) <= 500

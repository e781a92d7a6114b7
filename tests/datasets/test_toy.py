"""The generated clips: the same everywhere, written safely, hard enough."""

import hashlib
import threading

import numpy as np
import pytest
import soundfile

from skmer.datasets import load_toy_emotions, validate_dataset
from skmer.datasets import toy as _toy
from skmer.datasets.toy import N_SAMPLES, SR, toy_clip

# SHA-256 of all samples, in the order of the dataset.
GOLDEN = "c3e2e69b7bed0c36f99fb1123b80d4d9ae3b53a3a3d5a728cc3006ad099abb24"


def test_classes_and_groups(toy_home):
    toy = load_toy_emotions(data_home=toy_home)
    assert toy.frame.columns.tolist() == ["path", "label", "group", "take"]
    assert toy.frame.groupby(["group", "label"]).size().tolist() == [2] * 40
    assert toy.target_names == ["Q1", "Q2", "Q3", "Q4"]
    assert toy.data.shape == toy.target.shape == toy.groups.shape == (80,)
    assert "Q1 20, Q2 20, Q3 20, Q4 20" in toy.DESCR


def test_forms_of_the_result(toy_home):
    paths, labels = load_toy_emotions(data_home=toy_home, return_X_y=True)
    toy = load_toy_emotions(data_home=toy_home, as_frame=True)
    assert toy.data.tolist() == paths.tolist()
    assert toy.target.tolist() == labels.tolist()
    assert toy.groups.name == "group"
    assert labels.dtype.kind == "U"


def test_samples_are_the_same_on_every_platform(toy_home):
    digest = hashlib.sha256()
    for path in load_toy_emotions(data_home=toy_home).data:
        audio, sr = soundfile.read(path, dtype="int16")
        assert (audio.shape, sr) == ((104000,), 16000)
        digest.update(audio.astype("<i2").tobytes())
    assert digest.hexdigest() == GOLDEN


def test_clips_differ_and_none_is_silent_or_clipped():
    clips = [toy_clip(artist, "Q2", take) for artist in (0, 7) for take in (0, 1)]
    assert len({clip.tobytes() for clip in clips}) == 4
    for clip in clips:
        assert 500 < np.abs(clip.astype(int)).max() < 32767
    assert (toy_clip(3, "Q4", 1) == toy_clip(3, "Q4", 1)).all()


def quick_clip(artist, quadrant, take):
    return np.full(N_SAMPLES, 9 * artist, dtype=np.int16)


def test_written_once_and_replaced_when_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(_toy, "toy_clip", quick_clip)
    first = load_toy_emotions(data_home=tmp_path)
    path = tmp_path / "toy-2" / "ben_Q3_2.wav"
    content = path.read_bytes()
    monkeypatch.setattr(_toy, "toy_clip", None)
    assert load_toy_emotions(data_home=tmp_path).data.tolist() == first.data.tolist()
    path.write_bytes(content[:1000])
    monkeypatch.setattr(_toy, "toy_clip", quick_clip)
    load_toy_emotions(data_home=tmp_path)
    assert path.read_bytes() == content
    assert len(list((tmp_path / "toy-2").iterdir())) == 80


def test_no_reader_sees_half_a_clip(tmp_path, monkeypatch):
    monkeypatch.setattr(_toy, "toy_clip", quick_clip)
    writers = [
        threading.Thread(target=load_toy_emotions, kwargs={"data_home": tmp_path}) for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    sizes = set()
    while any(writer.is_alive() for writer in writers):
        sizes |= {path.stat().st_size for path in (tmp_path / "toy-2").glob("[a-z]*.wav")}
    for writer in writers:
        writer.join()
    sizes |= {path.stat().st_size for path in (tmp_path / "toy-2").iterdir()}
    assert sizes == {44 + 2 * 104000}
    assert len(list((tmp_path / "toy-2").iterdir())) == 80


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        OSError, match=r"cannot be written to \(toy clips\).* Choose another folder"
    ):
        load_toy_emotions(data_home=tmp_path / "file")


def test_validate(tmp_path, monkeypatch):
    monkeypatch.setattr(_toy, "toy_clip", quick_clip)
    load_toy_emotions(data_home=tmp_path)
    folder = tmp_path / "toy-2"
    report = validate_dataset("toy", data_home=tmp_path)
    assert report.ok
    assert len(report.files("ok")) == 80
    (folder / "ada_Q1_1.wav").unlink()
    (folder / "ben_Q3_2.wav").write_bytes((folder / "dov_Q4_2.wav").read_bytes())
    (folder / "cleo_Q1_1.wav").write_bytes(b"no audio")
    soundfile.write(folder / "stray.wav", np.zeros(9), SR)
    report = validate_dataset("toy", data_home=tmp_path)
    assert not report.ok
    assert report.files("missing") == ["ada_Q1_1.wav"]
    assert report.files("wrong") == ["ben_Q3_2.wav", "cleo_Q1_1.wav"]
    assert report.files("extra") == ["stray.wav"]


@pytest.mark.slow
def test_hard_and_dependent_on_the_artist(toy_home):
    librosa = pytest.importorskip("librosa")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import (
        StratifiedGroupKFold,
        StratifiedShuffleSplit,
        cross_val_score,
    )
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    toy = load_toy_emotions(data_home=toy_home)

    def features(path):
        audio, sr = soundfile.read(path, dtype="float32")
        mfcc = librosa.feature.mfcc(y=audio, sr=sr)
        parts = [librosa.feature.delta(mfcc, order=order) for order in (1, 2)]
        stacked = np.vstack([mfcc, *parts])
        return np.concatenate([stacked.mean(axis=1), stacked.std(axis=1)])

    X = np.array([features(path) for path in toy.data])
    gaps = []
    for classifier in (SVC(C=10), RandomForestClassifier(random_state=0), GaussianNB()):
        model = make_pipeline(StandardScaler(), classifier)
        shuffles = StratifiedShuffleSplit(20, test_size=0.1, random_state=0)
        random = cross_val_score(model, X, toy.target, cv=shuffles).mean()
        grouped = np.mean(
            [
                cross_val_score(
                    model,
                    X,
                    toy.target,
                    groups=toy.groups,
                    cv=StratifiedGroupKFold(5, shuffle=True, random_state=seed),
                ).mean()
                for seed in range(4)
            ]
        )
        assert 0.37 < random < 0.65
        assert 0.3 < grouped < 0.45
        gaps.append(random - grouped)
    assert min(gaps) > 0.03
    assert max(gaps) > 0.1

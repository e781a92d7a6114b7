"""Predictions for clips: a row a clip, a moment, or a sequence; of any number, and from tables."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmer import ClipFunctionTransformer, MFCCStatsTransformer, VGGishTransformer
from skmer.audio import Segment
from skmer.classifiers import KerasLSTMClassifier
from skmer.embeddings import extract, sources, tables
from skmer.evaluation import evaluate
from skmer.exceptions import InputError
from skmer.models import (
    PredictionFile,
    load_model,
    predict,
    predict_batches,
    predict_clips,
    save_model,
    write_predictions,
)
from skmer.utils import ClipCache
from skmer.utils.files import escape_formula


def loud_and_wide(frames):
    """Two numbers a frame."""
    return np.stack([np.abs(frames).mean(axis=1), np.ptp(frames, axis=1)], axis=1)


def test_a_row_a_clip(songs, tmp_path):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), LogisticRegression())
    model.fit(paths[:16], y[:16])
    (tmp_path / "text.wav").write_text("no audio")
    given = [paths[17], str(tmp_path / "text.wav"), paths[20], str(tmp_path / "none.wav")]
    predicted = predict_clips(model, given, n_jobs=2)
    assert list(predicted.columns) == [
        "path",
        "label",
        "proba_happy",
        "proba_sad",
        "error",
        "notes",
    ]
    assert predicted["path"].tolist() == given
    assert predicted["error"].isna().tolist() == [True, False, True, False]
    np.testing.assert_allclose(
        predicted.loc[[0, 2], ["proba_happy", "proba_sad"]], model.predict_proba(given[::2])
    )
    assert predicted.loc[[1, 3], ["label", "proba_sad"]].isna().all(axis=None)
    assert predict_clips(model, given[1:2])["error"].notna().all()


def test_what_makes_a_prediction_doubtful_is_noted(songs, tmp_path):
    paths, y = songs
    frames = ClipFunctionTransformer(loud_and_wide, target_sr=16000, frame_size=0.25)
    model = make_pipeline(frames, LogisticRegression()).fit(paths[:8], y[:8])
    silent, short, cut = (str(tmp_path / name) for name in ("silent.wav", "short.wav", "cut.wav"))
    soundfile.write(silent, np.zeros(16000), 16000)
    soundfile.write(short, 0.1 * np.ones(160), 16000)
    Path(cut).write_bytes(Path(paths[0]).read_bytes()[:20000])
    given = [paths[9], silent, short, cut, "missing.wav"]
    predicted = predict_clips(model, given)
    assert predicted["notes"].fillna("").tolist() == ["", "silent", "short", "cut", ""]
    assert predicted["label"].notna().tolist() == [True] * 4 + [False]
    by_frame = predict_clips(model, given, frames=True)
    assert (by_frame["notes"] == "cut").sum() > 1
    for frames in (False, True):
        strict = predict_clips(model, given, frames=frames, strict=True).set_index("path")
        assert strict["error"][silent] == (
            "the clip is silent, which is an error where 'strict' is set."
        )
        assert strict["label"][[silent, short, cut, "missing.wav"]].isna().all()
        assert strict.loc[[paths[9]], "label"].notna().all()


def test_nothing_is_written(songs, tmp_path, monkeypatch):
    paths, y = songs
    union = make_union(MFCCStatsTransformer(), MFCCStatsTransformer(n_mfcc=13, deltas=0))
    model = make_pipeline(union, LogisticRegression(max_iter=10_000)).fit(paths[:8], y[:8])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    predicted = predict_clips(model, paths[:3])
    assert predicted["label"].tolist() == model.predict(paths[:3]).tolist()
    assert not list(tmp_path.iterdir())


def test_sequences(songs):
    paths, y = songs
    model = make_pipeline(
        MFCCStatsTransformer(statistics=None, n_frames=30),
        KerasLSTMClassifier(units=4, epochs=2, random_state=0),
    ).fit(paths[:8], y[:8])
    predicted = predict_clips(model, ["missing.wav", *paths[:3]])
    assert predicted["label"][1:].tolist() == list(model.predict(paths[:3]))
    assert predicted["error"].isna().tolist() == [False, True, True, True]


@pytest.mark.parametrize("pooling", ["mean", ("mean", "max")])
def test_predictions_over_time(songs, pooling):
    paths, y = songs
    frames = ClipFunctionTransformer(
        loud_and_wide, target_sr=16000, frame_size=0.25, pooling=pooling
    )
    model = make_pipeline(frames, LogisticRegression()).fit(paths[:8], y[:8])
    predicted = predict_clips(model, [paths[0], "missing.wav", paths[1]], frames=True)
    first, second = model[0].transform_frames(paths[:2])
    n_times = 1 if pooling == "mean" else 2
    expected = model[-1].predict_proba(np.hstack([first] * n_times))
    assert len(predicted) == len(first) + 1 + len(second)
    np.testing.assert_allclose(predicted["proba_sad"][: len(first)], expected[:, 1], rtol=1e-5)
    assert predicted["time"][: len(first)].tolist() == model[0].frame_times(len(first)).tolist()
    failed = predicted.iloc[len(first)]
    assert failed[["label", "time", "proba_sad"]].isna().all()
    assert failed["error"] == "the file does not exist."


def test_what_has_no_predictions_over_time(songs):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), SVC()).fit(paths[:8], y[:8])
    with pytest.raises(InputError, match="whose pooling a single frame has"):
        predict_clips(model, paths, frames=True)
    for wrong in (SVC(), "model"):
        with pytest.raises(TypeError, match="must be a pipeline that starts with a transformer"):
            predict_clips(wrong, paths)


def test_numbers(songs):
    paths, _ = songs
    model = make_pipeline(MFCCStatsTransformer(), StandardScaler(), Ridge())
    targets = np.random.default_rng(0).normal(size=(24, 2))
    predicted = predict_clips(model.fit(paths, targets), paths[:3])
    assert list(predicted.columns) == ["path", "arousal", "valence", "error", "notes"]
    np.testing.assert_allclose(
        predicted[["arousal", "valence"]].to_numpy(float), model.predict(paths[:3]), rtol=1e-6
    )
    model.fit(paths, targets[:, 0])
    assert list(predict_clips(model, paths[:1], targets=["energy"]))[1] == "energy"
    with pytest.raises(InputError, match="must name what the model predicts, 1 number"):
        predict_clips(model, paths[:1], targets=["a", "b"])


@pytest.fixture(scope="module")
def model(songs):
    paths, y = songs
    return make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths[:16], y[:16])


def test_every_form_of_clips_and_a_bad_one_is_a_row(songs, model, tmp_path):
    """What `transform` takes is predicted; what it raises for is an error of its row."""
    paths = songs[0][:3]
    expected = predict_clips(model, paths)[["label", "proba_happy"]]
    contents = [Path(path).read_bytes() for path in paths]
    waveforms = [soundfile.read(path, dtype="float32") for path in paths]
    forms = {
        "files": list(map(io.BytesIO, contents)),
        "pairs": waveforms,
        "mappings": [{"array": audio, "sampling_rate": sr} for audio, sr in waveforms],
        "series": pd.Series(paths),
        "frame": pd.DataFrame({"path": paths}),
        "column": np.array(paths)[:, None],
        "iterator": iter(paths),
        "named": list(zip("abc", contents)),
        "resampled": [(audio, 16000) for audio, _ in waveforms],
    }
    for name, form in forms.items():
        found = predict_clips(model, form)
        pd.testing.assert_frame_equal(found[["label", "proba_happy"]], expected, obj=name)
        named = {"named": list("abc")}.get(
            name, paths if name in ("series", "frame", "column", "iterator") else [None] * 3
        )
        assert found["path"].tolist() == named
    bare = make_pipeline(MFCCStatsTransformer(sr=16000), GaussianNB()).fit(*songs)
    matrix = np.stack([audio for audio, _ in waveforms])
    assert predict_clips(bare, matrix)["label"].tolist() == list(bare.predict(matrix))
    bad = [
        paths[0],
        3.5,
        io.BytesIO(b"no audio"),
        None,
        (np.zeros((0,)), 16000),
        "none.wav",
        paths[2],
    ]
    found = predict_clips(model, bad)
    assert found["error"].isna().tolist() == [True, *[False] * 5, True]
    assert found["error"][1].startswith("a clip must be a path")
    assert found["label"].tolist()[::6] == expected["label"].tolist()[::2]
    for wrong, error in (
        ("song.wav", ValueError),
        ([], ValueError),
        (iter([]), ValueError),
        ({"a": 1}, TypeError),
    ):
        with pytest.raises(error):
            predict_clips(model, wrong)


def test_targets_have_the_names_that_they_were_fitted_under(songs, tmp_path):
    paths, _ = songs
    y = dict(zip(("valence", "arousal"), np.random.default_rng(0).normal(size=(2, 24))))
    features = {"mfcc": MFCCStatsTransformer()}
    result = evaluate(
        features, ["ridge"], paths, y, task="regression", protocol=KFold(2), audit=False
    )
    for target, names in ((None, [*y]), ("arousal", ["arousal"])):
        model = result.fit(feature="mfcc", regressor="ridge", target=target)
        again = load_model(save_model(model, tmp_path / "model.skmer"))
        for one in (model, again):
            found = predict_clips(one, paths[:2])
            assert list(found) == ["path", *names, "error", "notes"]
            expected = np.reshape(model.predict(paths[:2]), (2, -1))
            np.testing.assert_allclose(found[names].to_numpy(float), expected, rtol=1e-6)


def test_several_tags_without_their_names_are_a_sentence(songs):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), KNeighborsClassifier())
    model.fit(paths, np.column_stack([y == "sad", y != "sad"]).astype(int))
    with pytest.raises(InputError, match="several tags must be in a TagClassifier"):
        predict_clips(model, paths[:2])


def test_columns_are_there_when_every_clip_fails(songs, model):
    paths, _ = songs
    columns = list(predict_clips(model, paths[:1]))
    failed = predict_clips(model, ["none.wav"])
    assert list(failed) == columns
    assert failed[columns[1:-2]].isna().all(axis=None)
    numbers = make_pipeline(MFCCStatsTransformer(), Ridge()).fit(paths, np.zeros((24, 3)))
    found = predict_clips(numbers, ["none.wav"], targets=["a", "b", "c"])
    assert list(found) == ["path", "a", "b", "c", "error", "notes"]


def test_labels_of_whole_numbers_stay_whole(songs):
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths, y == "sad")
    found = predict_clips(model, [paths[0], "none.wav"])["label"]
    assert (found[0], found.isna()[1]) == (True, True)
    model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths, 2 * (y == "sad"))
    assert str(predict_clips(model, [paths[0], "none.wav"])["label"].dtype) == "Int64"


def test_a_csv_file_is_what_pandas_writes(songs, tmp_path):
    paths, y = songs
    strange = tmp_path / '=1, "2".wav'
    strange.write_bytes(Path(paths[0]).read_bytes())
    given, out = [*paths[:2], "none.wav", Segment(paths[2], 0.5), strange], tmp_path / "p.csv"
    labels = np.where(y == "sad", "-1+1", "so, so")
    for fit_on, dtype in ((y == "sad", float), (2 * (y == "sad"), np.float32), (labels, float)):
        model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths, fit_on)
        model[-1].predict_proba = lambda rows, dtype=dtype: np.full((len(rows), 2), 0.1, dtype)
        predicted = predict_clips(model, given)
        write_predictions(model, given, out)
        expected = escape_formula(predicted).to_csv(index=False, lineterminator="\n")
        assert out.read_text() == expected


def test_batches_are_the_same_rows(songs, model):
    paths, _ = songs
    given = [*paths[:4], "none.wav", *paths[4:7]]
    batches = list(predict_batches(model, iter(given), batch_size=3))
    assert list(map(len, batches)) == [3, 3, 2]
    whole = pd.concat(batches, ignore_index=True)
    pd.testing.assert_frame_equal(whole, predict_clips(model, given))


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_written_batch_by_batch(songs, model, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(predict, "_BATCH", 3)
    paths, _ = songs
    out = tmp_path / f"p{suffix}"
    given = ["none.wav", *paths[:6]]
    done = write_predictions(model, iter(given), out)
    assert done == PredictionFile(out, 7, 1, 0)
    read = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[suffix]
    expected = predict_clips(model, given)
    for name in ("path", "label", "proba_sad", "error"):
        good = expected[name].notna()
        assert read(out)[name].notna().tolist() == good.tolist()
        found = read(out)[name][good].reset_index(drop=True)
        wanted = expected[name][good].reset_index(drop=True)
        pd.testing.assert_series_equal(found, wanted, check_dtype=False, rtol=1e-9)
    before = out.read_bytes()
    for fewer in (paths[:3], iter(paths[:3])):
        with pytest.raises(
            InputError, match="has 7 clips, and would be replaced by one of 3; pass f"
        ):
            write_predictions(model, fewer, out)
    assert out.read_bytes() == before
    assert write_predictions(model, paths[:3], out, force=True).n_rows == 3
    assert {path.name for path in tmp_path.iterdir()} == {out.name, f".{out.name}.lock"}


def test_resumed_after_an_interrupt(songs, model, tmp_path, monkeypatch):
    paths, _ = songs
    real, computed = sources.embed_clip, []

    def embed_clip(recipe, clip, *args):
        if clip.source == paths[3] and stop:
            raise KeyboardInterrupt
        computed.append(clip.source)
        return real(recipe, clip, *args)

    monkeypatch.setattr(sources, "embed_clip", embed_clip)
    stop = True
    with pytest.raises(KeyboardInterrupt):
        write_predictions(model, paths[:6], tmp_path / "p.csv")
    stop = False
    write_predictions(model, paths[:6], tmp_path / "p.csv")
    assert computed == paths[:6]
    assert len(pd.read_csv(tmp_path / "p.csv")) == 6
    write_predictions(model, paths[:6], tmp_path / "q.csv", memory=tmp_path / "cache")
    n_entries = len(ClipCache(tmp_path / "cache"))
    assert n_entries == 6


@pytest.mark.parametrize("out", ["t.parquet", "t.npz", "t.csv", "folder"])
def test_from_the_table_of_extract(songs, model, tmp_path, out, monkeypatch):
    paths, _ = songs
    given = [*paths[:5], "none.wav"]
    other = MFCCStatsTransformer(n_mfcc=13, deltas=0).set_params(statistics=("max",))
    layout = "list" if out == "folder" else "columns"
    extract(given, [other, model[0]], tmp_path / out, shard_size=4, layout=layout)
    monkeypatch.setattr(sources, "embed_clip", None)
    found = predict_clips(model, tmp_path / out)
    monkeypatch.undo()
    pd.testing.assert_frame_equal(found, predict_clips(model, given))
    done = write_predictions(model, tmp_path / out, tmp_path / "p.parquet")
    assert (done.n_rows, done.n_failed) == (6, 1)


def test_from_a_table_of_frames(songs, tmp_path):
    paths, y = songs
    embed = ClipFunctionTransformer(loud_and_wide, target_sr=16000, frame_size=0.25, version="1")
    model = make_pipeline(embed, LogisticRegression()).fit(paths[:8], y[:8])
    extract(paths[:3], embed, tmp_path / "t.parquet", frames=True)
    found = predict_clips(model, tmp_path / "t.parquet", frames=True)
    pd.testing.assert_frame_equal(found, predict_clips(model, paths[:3], frames=True))
    with pytest.raises(InputError, match="has a row a frame, and with frames=False"):
        predict_clips(model, tmp_path / "t.parquet")


def test_a_table_that_was_made_in_another_way(songs, model, tmp_path):
    paths, y = songs
    for change, said in (
        ({"n_mfcc": 13}, "was made with n_mfcc 13, and the model with 20"),
        ({"duration": 0.5}, r"was made with duration 0.5, and the model with None"),
        ({"statistics": ("std", "mean")}, "was made with statistics "),
    ):
        (tmp_path / "t.csv").unlink(missing_ok=True)
        extract(paths[:2], MFCCStatsTransformer(**change), tmp_path / "t.csv")
        with pytest.raises(InputError, match=f"{said}.*; extract the clips again"):
            predict_clips(model, tmp_path / "t.csv")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "own.parquet")
    with pytest.raises(InputError, match="is not one that extract wrote"):
        predict_clips(model, tmp_path / "own.parquet")
    with pytest.raises(InputError, match="There is no table"):
        predict_clips(model, tmp_path / "none.parquet")
    networks = [VGGishTransformer(weights=None, random_state=seed) for seed in (0, 1)]
    extract(paths[:2], networks[0], tmp_path / "v.parquet")
    other = make_pipeline(networks[1], GaussianNB()).fit(paths[:4], y[:4])
    with pytest.raises(InputError, match=r"was made with weights random weights .seed"):
        predict_clips(other, tmp_path / "v.parquet")
    with pytest.raises(InputError, match="numbers of VGGishTransformer, and the model needs MFCC"):
        predict_clips(model, tmp_path / "v.parquet")


def test_a_generator_of_names_is_not_held(model, monkeypatch):
    """The memory does not grow with the number of clips, here of some that do not exist."""
    monkeypatch.setattr(sources.Embedder, "_embed", _nothing_is_there)
    list(predict_batches(model, (f"{i}.wav" for i in range(2000))))
    tracemalloc.start()
    names = (f"some/folder/of/the/collection/{i}.wav" for i in range(8_000))
    n_rows = sum(map(len, predict_batches(model, names, batch_size=200)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_rows == 8_000
    assert peak < 1.5e6


def _nothing_is_there(embedder, clips, known):
    for clip in clips:
        yield tables.ClipRows(path=clip.path, error="the file does not exist.")

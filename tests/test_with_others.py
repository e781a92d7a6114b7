"""Each line of the page "With other libraries", where the library is installed."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

from skmer import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.models import trusted_types

pytestmark = pytest.mark.filterwarnings("ignore")
Y = np.array(["calm", "tense"] * 10)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    made = [str(folder / f"{i}.wav") for i in range(len(Y))]
    for i, path in enumerate(made):
        soundfile.write(path, 0.02 * (1 + i % 2) * rng.normal(size=8000), 8000)
    return np.array(made, dtype=object)


@pytest.fixture
def model(paths):
    mfcc = MFCCStatsTransformer(n_mfcc=3)
    return make_pipeline(mfcc, StandardScaler(), LogisticRegression()).fit(paths, Y)


def test_imbalanced_learn(paths, model):
    pipeline = pytest.importorskip("imblearn.pipeline")
    sampler = pytest.importorskip("imblearn.over_sampling").RandomOverSampler(random_state=0)
    column = paths.reshape(-1, 1)
    fitted = pipeline.make_pipeline(sampler, *model).fit(column[:15], Y[:15])
    assert fitted.predict(column).tolist() == Y.tolist()


def test_xgboost(paths):
    xgboost = pytest.importorskip("xgboost")
    encoder = LabelEncoder()
    pipeline = make_pipeline(MFCCStatsTransformer(), xgboost.XGBClassifier(n_estimators=5))
    pipeline.fit(paths, encoder.fit_transform(Y))
    assert set(encoder.inverse_transform(pipeline.predict(paths))) == {"calm", "tense"}


def test_mapie(paths, model):
    mapie = pytest.importorskip("mapie.classification")
    split = mapie.SplitConformalClassifier(model, confidence_level=0.8, prefit=True)
    assert split.conformalize(paths, Y).predict_set(paths[:2])[1].shape == (2, 2, 1)
    cross = mapie.CrossConformalClassifier(model, confidence_level=0.8, cv=4)
    column = paths.reshape(-1, 1)
    assert cross.fit_conformalize(column, Y).predict_set(column[:2])[1].shape == (2, 2, 1)


def test_skore(paths, model):
    skore = pytest.importorskip("skore")
    report = skore.CrossValidationReport(model, X=paths.reshape(-1, 1), y=Y, splitter=3)
    assert report.metrics.accuracy().iloc[0, 0] == 1


def test_mlflow(paths, model, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    options = {"serialization_format": "skops", "skops_trusted_types": trusted_types(model)}
    mlflow.sklearn.save_model(model, str(tmp_path / "model"), **options)
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert loaded.predict(pd.DataFrame({"path": paths})).tolist() == Y.tolist()


def test_skl2onnx(paths, model):
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    rows = model[0].transform(paths)
    graph = skl2onnx.to_onnx(model[1:], rows[:1], options={"zipmap": False})
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    assert session.run(None, {"X": rows})[0].tolist() == Y.tolist()


def test_datasets(paths):
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset.from_dict({"audio": paths[:2].tolist()})
    expected = MFCCStatsTransformer().fit_transform(paths[:2])
    for decode in (False, True) if pytest.importorskip("torchcodec") else ():
        column = whole.cast_column("audio", datasets.Audio(decode=decode))["audio"]
        np.testing.assert_allclose(
            MFCCStatsTransformer().fit_transform(column), expected, atol=1e-3
        )


def test_audformat(paths):
    audformat = pytest.importorskip("audformat")
    index = audformat.segmented_index(paths[:2].tolist(), ["0s", "0.5s"], ["0.5s", pd.NaT])
    expected = MFCCStatsTransformer().fit_transform([(paths[0], 0, 0.5), (paths[1], 0.5, None)])
    np.testing.assert_array_equal(MFCCStatsTransformer().fit_transform(index), expected)


def test_mirdata(paths):
    gtzan = pytest.importorskip("mirdata.datasets.gtzan_genre")
    # What ``track.audio`` is.
    audio = gtzan.load_audio(str(paths[0]))
    assert MFCCStatsTransformer().fit_transform([audio, paths[0]]).shape == (2, 120)


def test_opensmile(paths):
    opensmile = pytest.importorskip("opensmile")
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02)

    def egemaps(waveform):
        waveform = np.clip(waveform, -1, 32767 / 32768)
        return smile.process_signal(waveform, 16000).to_numpy(dtype="float32")

    feature = ClipFunctionTransformer(egemaps, target_sr=16000, name="egemaps")
    assert feature.fit_transform(paths[:2]).shape == (2, 88)

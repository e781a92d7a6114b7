"""Each line of the page "With other libraries", where the library is installed."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

from skmer import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.classifiers import FeatureScaler, make_classifier
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


def test_the_classifiers_that_skl2onnx_converts():
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    scaler = pytest.importorskip("skl2onnx.operator_converters.scaler_op")
    shapes = pytest.importorskip("skl2onnx.shape_calculators.scaler")
    skl2onnx.update_registered_converter(
        FeatureScaler,
        "SkmerFeatureScaler",
        shapes.calculate_sklearn_scaler_output_shapes,
        scaler.convert_sklearn_scaler,
        options={"div": ["std", "div", "div_cast"]},
    )
    rows = np.random.default_rng(0).normal(size=(len(Y), 4)).astype(np.float32)
    # A column that is constant, whose scale is infinite.
    rows[:, 3] = 5
    for name in ("svm", "nb", "rf"):
        fitted = make_classifier(name).fit(rows, Y)
        inside = getattr(fitted, "best_estimator_", fitted)
        graph = skl2onnx.to_onnx(inside, rows[:1], options={"zipmap": False})
        session = onnxruntime.InferenceSession(graph.SerializeToString())
        labels, values = session.run(None, {"X": rows})
        assert labels.tolist() == fitted.predict(rows).tolist()
        if name != "svm":
            np.testing.assert_allclose(values, fitted.predict_proba(rows), atol=1e-4)


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

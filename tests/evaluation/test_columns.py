"""A data frame with clips and metadata: embedded once, and learnt in the training sets alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmer.embeddings import ClipFunctionTransformer, MFCCStatsTransformer
from skmer.evaluation import evaluate, evaluate_dynamic_regression, evaluate_regression
from skmer.exceptions import InputError

N_CLIPS = 24
LABELS = np.tile(["calm", "tense"], N_CLIPS // 2)
FOLDS = KFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    loud = np.where(LABELS == "tense", 0.3, 0.1)
    return pd.DataFrame(
        {
            "clip": [rng.normal(scale=scale, size=4000).astype("float32") for scale in loud],
            "tempo": rng.normal(120, 20, N_CLIPS),
            "genre": rng.choice(["folk", "pop", "rock"], N_CLIPS),
        }
    )


def level(audio):
    return np.array([audio.std(), np.abs(audio).max()])


def embed(**options):
    return ClipFunctionTransformer(level, target_sr=8000, sr=8000, version=1, **options)


def columns(audio=None, **options):
    return ColumnTransformer(
        [
            ("audio", audio or embed(), "clip"),
            ("number", StandardScaler(), ["tempo"]),
            ("kind", OneHotEncoder(handle_unknown="ignore"), ["genre"]),
        ],
        **options,
    )


@pytest.mark.parametrize(
    "features",
    [
        columns(),
        columns(make_pipeline(embed(), StandardScaler(), PCA(1))),
        columns(sparse_threshold=0, transformer_weights={"audio": 10}),
        ColumnTransformer(
            [("audio", embed(), [0])], remainder=OneHotEncoder(handle_unknown="ignore")
        ),
        ColumnTransformer(
            [
                ("audio", embed(), ["clip"]),
                ("number", StandardScaler(), make_column_selector(dtype_include="number")),
            ]
        ),
        ColumnTransformer([("number", StandardScaler(), ["tempo"])]),
        ColumnTransformer(
            [
                ("audio", embed(), ["clip"]),
                ("other", embed(duration=0.2), "clip"),
                ("number", StandardScaler(), ["tempo"]),
            ]
        ),
    ],
    ids=["columns", "pipeline", "options", "remainder", "selector", "numbers", "networks"],
)
def test_predictions_are_those_of_the_same_pipeline_in_scikit_learn(table, features):
    model = LogisticRegression()
    result = evaluate({"all": features}, {"lr": model}, table, LABELS, protocol=FOLDS)
    expected = np.empty((N_CLIPS, 2))
    for train, test in FOLDS.split(table):
        fitted = make_pipeline(features, model).fit(table.iloc[train], LABELS[train])
        expected[test] = fitted.predict_proba(table.iloc[test])
    found = result.predictions.sort_values("row")[["proba_calm", "proba_tense"]]
    # An embedding is of float32, and in another memory layout.
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_learns_sees_training_rows_alone_and_clips_are_embedded_once(table):
    seen, n_embedded = [], []

    class Recorder(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            seen.append(set(X["tempo"]))
            self.n_features_in_ = 1
            return self

        def transform(self, X):
            return X

    def count(audio):
        n_embedded.append(audio[0])
        return level(audio)

    audio = ClipFunctionTransformer(count, target_sr=8000, sr=8000)
    features = ColumnTransformer([("audio", audio, "clip"), ("number", Recorder(), ["tempo"])])
    evaluate(
        {"all": features}, {"nb": GaussianNB(), "lr": LogisticRegression()}, table, LABELS,
        protocol=FOLDS,
    )  # fmt: skip
    # Beside a trial when it is fitted.
    # To fit a function takes the first clip, to see how many columns there are.
    counts = [n_embedded.count(clip[0]) for clip in table["clip"]]
    assert counts == [2, *[1] * (N_CLIPS - 1)]
    parts = [set(table["tempo"].iloc[train]) for train, _ in FOLDS.split(table)]
    assert sorted(map(sorted, seen)) == sorted(map(sorted, 2 * parts))


def test_a_result_of_columns_is_whole(table, tmp_path):
    paths = [f"{row}.wav" for row in range(N_CLIPS)]
    import soundfile

    for path, audio in zip(paths, table["clip"]):
        soundfile.write(tmp_path / path, audio, 8000)
    files = table.assign(clip=[str(tmp_path / path) for path in paths])
    files.loc[3, "clip"] = str(tmp_path / "absent.wav")
    features = {"all": columns(MFCCStatsTransformer(target_sr=8000)), "audio": columns()}
    result = evaluate(
        features, {"nb": GaussianNB()}, files, LABELS, protocol=FOLDS, on_error="skip"
    )
    assert [one["row"] for one in result.manifest["skipped_clips"]] == [3]
    assert result.predictions["path"].iloc[0] in set(files["clip"])
    assert sorted(result.predictions["row"].unique()) == [i for i in range(N_CLIPS) if i != 3]
    assert result.report(tmp_path / "report.html").exists()
    model = result.fit(feature="audio", classifier="nb")
    kept = files.drop(index=3)
    assert (model.predict(kept) == np.delete(LABELS, 3)).mean() > 0.8
    with pytest.raises(InputError, match=r"1 of 24 clips cannot be used \(rows 3\)"):
        evaluate(features, {"nb": GaussianNB()}, files, LABELS, protocol=FOLDS)


def test_other_tasks_and_a_second_dataset(table):
    tags = pd.DataFrame({"loud": LABELS == "tense", "fast": table["tempo"] > 120}) * 1
    model = {"lr": LogisticRegression()}
    result = evaluate({"all": columns()}, model, table, tags, protocol="shuffled", n_folds=2)
    assert result.summary()["average_precision"].iloc[0] > 0.9
    numbers = evaluate_regression(
        {"all": columns()}, {"ridge": Ridge(0.1)}, table[:16], table["tempo"][:16], n_folds=2,
        protocol="shuffled", X_test=table[16:], y_test=table["tempo"][16:],
    )  # fmt: skip
    assert numbers.summary().set_index("protocol").loc["across", "r2"] > 0.9


def test_mistakes(table):
    def run(features, X=table):
        return evaluate({"all": features}, {"nb": GaussianNB()}, X, LABELS, protocol=FOLDS)

    with pytest.raises(InputError, match="ColumnTransformer and needs X as a data frame"):
        run(columns(), list(table["clip"]))
    with pytest.raises(ValueError, match="Must pass 2-d input"):
        run(columns(MFCCStatsTransformer(sr=8000, target_sr=8000, statistics=None, n_frames=9)))
    with pytest.raises(InputError, match="learns from the clips"):
        run(make_pipeline(columns(), PCA(1)))
    with pytest.raises(InputError, match="gives no frames for the moments"):
        y = {"arousal": pd.DataFrame(np.random.default_rng(0).normal(size=(N_CLIPS, 2)))}
        evaluate_dynamic_regression(
            {"all": columns()}, {"ridge": Ridge()}, table, y, protocol="shuffled"
        )


def test_a_column_beside_the_clips_that_has_the_target_is_a_finding(table):
    features = ColumnTransformer(
        [
            ("audio", embed(), "clip"),
            ("kind", OneHotEncoder(handle_unknown="ignore"), ["genre", "code"]),
        ]
    )
    # The embedding separates the labels as well, and is of the sound alone.
    X = table.assign(code=[label.upper() for label in LABELS])
    result = evaluate({"all": features}, {"nb": LogisticRegression()}, X, LABELS, protocol=FOLDS)
    (report,) = result.manifest["audit"].values()
    (found,) = [one for one in report["findings"] if one["kind"] == "target_in_features"]
    assert found["message"].startswith("1 column tells the target by itself, such as 'code'")


def test_columns_of_two_datasets_go_by_name(table):
    first, second = table.iloc[:16], table.iloc[16:]
    runs = [
        evaluate(
            {"all": columns()}, {"lr": LogisticRegression()}, first, LABELS[:16], X_test=X_test,
            y_test=LABELS[16:], protocol=KFold(2), audit=False,
        )
        for X_test in (second, second[["genre", "tempo", "clip"]])
    ]  # fmt: skip
    pd.testing.assert_frame_equal(runs[0].predictions, runs[1].predictions)
    with pytest.raises(InputError, match="must have the same columns"):
        evaluate(
            {"all": columns()}, {"lr": LogisticRegression()}, first, LABELS[:16],
            X_test=second.drop(columns="genre"), y_test=LABELS[16:], protocol=KFold(2),
        )  # fmt: skip


def test_a_polars_frame(table):
    pl = pytest.importorskip("polars")
    X = pl.DataFrame({name: pl.Series(table[name].tolist(), dtype=dtype) for name, dtype in
                      {"clip": pl.Object, "tempo": None, "genre": None}.items()})  # fmt: skip
    run = {"protocol": FOLDS, "audit": False}
    results = [
        evaluate({"all": columns()}, {"lr": LogisticRegression()}, one, LABELS, **run)
        for one in (table, X)
    ]
    pd.testing.assert_frame_equal(*(one.predictions for one in results))
    fitted = results[1].fit(feature="all", classifier="lr")
    assert (
        fitted.predict(table).tolist()
        == results[0].fit(feature="all", classifier="lr").predict(table).tolist()
    )


def test_columns_for_a_feature_of_clips_are_a_sentence(table):
    X = table.assign(clip=[f"{i}.wav" for i in range(N_CLIPS)])
    for features in ({"mfcc": MFCCStatsTransformer()}, ["mfcc"]):
        with pytest.raises(
            InputError, match=r"table of clips must have one column, or.* Got clip, tempo"
        ):
            evaluate(features, {"lr": LogisticRegression()}, X, LABELS, protocol=FOLDS)

"""The code of the page "In production" runs."""

import re
import textwrap
from pathlib import Path

import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import MFCCStatsTransformer
from skmer.models import save_model

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "production.rst"
_, SERVICE, MLFLOW = re.findall(
    r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text("utf-8")
)


def run(block):
    names: dict = {}
    exec(textwrap.dedent(block), names)
    return names


def test_the_service(songs, tmp_path, monkeypatch):
    pytest.importorskip("fastapi", reason="needs fastapi")
    testclient = pytest.importorskip("fastapi.testclient", reason="needs httpx")
    monkeypatch.chdir(tmp_path)
    paths, y = songs
    model = make_pipeline(MFCCStatsTransformer(), GaussianNB()).fit(paths[:8], y[:8])
    save_model(model, "emotions.skmer")
    client = testclient.TestClient(run(SERVICE)["app"])
    answer = client.post("/emotion", content=Path(paths[9]).read_bytes()).json()
    assert list(answer.values()) == model.predict_proba(paths[9:10])[0].tolist()
    assert client.post("/emotion", content=b"no audio").status_code == 422
    assert client.get("/card").json()["classes"] == list(answer)


# MLflow's own deprecations, and its store of runs in a folder.
@pytest.mark.filterwarnings("ignore")
def test_a_model_in_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    names = run(MLFLOW)
    assert names["labels"].tolist() == names["model"].predict(names["toy"].data[:5]).tolist()

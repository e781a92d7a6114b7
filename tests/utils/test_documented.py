"""Diagrams of pipelines link to the pages that the reference has."""

from pathlib import Path

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skmer import (
    ClipFunctionTransformer,
    L3Transformer,
    MFCCStatsTransformer,
    MusiCNNTransformer,
    VGGishTransformer,
)
from skmer.classifiers import (
    KerasCNNClassifier,
    KerasLSTMClassifier,
    KerasMLPClassifier,
    SequenceScaler,
)
from skmer.utils import estimators as _documented

REFERENCE = Path(__file__).parents[2] / "docs" / "api.rst"
ESTIMATORS = [
    L3Transformer(),
    VGGishTransformer(),
    MusiCNNTransformer(),
    MFCCStatsTransformer(),
    ClipFunctionTransformer(abs, target_sr=8000),
    KerasMLPClassifier(),
    KerasCNNClassifier(),
    KerasLSTMClassifier(),
    SequenceScaler(),
]


@pytest.fixture
def stated(monkeypatch):
    monkeypatch.setattr(_documented, "documentation_url", lambda: "https://docs.example")


def pages():
    """The pages that the reference makes."""
    package = ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            package = line.split()[-1]
        elif line.startswith("   ") and line.strip().isidentifier():
            yield f"{package}.{line.strip()}"


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_every_estimator_links_to_its_page(estimator, stated):
    link = estimator._get_doc_link()
    page = link.removeprefix("https://docs.example/generated/").removesuffix(".html")
    assert page in set(pages())


def test_a_diagram_has_the_links(stated):
    diagram = make_pipeline(L3Transformer(), SVC())._repr_html_()
    assert 'href="https://docs.example/generated/skmer.L3Transformer.html"' in diagram
    assert "scikit-learn.org" in diagram


def test_no_link_where_no_documentation_is_stated(monkeypatch):
    monkeypatch.setattr(_documented, "documentation_url", lambda: None)
    assert L3Transformer()._get_doc_link() == ""


@pytest.mark.parametrize(
    "entries, found",
    [
        (None, None),
        (["Source, https://code.example"], None),
        (
            ["Source, https://code.example", "Documentation, https://docs.example/"],
            "https://docs.example",
        ),
    ],
)
def test_the_address_is_what_the_package_states(entries, found, monkeypatch):
    class Stated:
        def get_all(self, name):
            return entries if name == "Project-URL" else None

    monkeypatch.setattr(_documented, "metadata", lambda name: Stated())
    assert _documented.documentation_url.__wrapped__() == found

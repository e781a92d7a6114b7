"""The public names: pinned, documented, and each with an example."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from numpydoc.validate import validate

PACKAGES = (
    "skmer",
    "skmer.audio",
    "skmer.classifiers",
    "skmer.datasets",
    "skmer.embeddings",
    "skmer.evaluation",
    "skmer.exceptions",
    "skmer.models",
    "skmer.pooling",
    "skmer.studies",
    "skmer.utils",
)
# What a function returns, or a class is made of, is shown by the example of that one.
RESULTS = {
    "AuditFinding",
    "AuditReport",
    "BayesianTTest",
    "BootstrapInterval",
    "CacheEntry",
    "CorrectedTTest",
    "DatasetInfo",
    "DynamicRegressionResult",
    "EvaluationResult",
    "Extraction",
    "GroupPermutationTest",
    "ModelCard",
    "Recipe",
    "RegressionResult",
    "ReportConsistency",
    "Reproduction",
    "TagsResult",
    "ValidationReport",
}
REFERENCE = Path(__file__).parents[1] / "docs" / "api.rst"


def documented():
    """The names that the reference lists, by package."""
    names, package = {}, ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if moved := re.match(r"\.\. currentmodule:: (\S+)", line):
            package = moved[1]
        elif name := re.fullmatch(r"   (\w+)", line):
            names.setdefault(package, set()).add(name[1])
    return names


def public(package):
    """The names that a package offers."""
    return set(importlib.import_module(package).__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_documented_and_the_other_way_round(package):
    listed = documented()
    if package == "skmer":
        # What the top offers is what the packages below offer, and stands there or here.
        below = set().union(*listed.values())
        assert public(package) - {"__version__"} <= below
        assert listed["skmer"] <= public(package)
        return
    if package == "skmer.utils":
        # What the rooms share; two of them serve users as well.
        assert listed[package] <= public(package)
        return
    elsewhere = listed["skmer"] if package == "skmer.embeddings" else set()
    assert public(package) == listed[package] | (elsewhere & public(package))


def test_the_reference_lists_no_other_package():
    assert set(documented()) <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_example(package):
    module = importlib.import_module(package)
    lacking = []
    for name in public(package) - {"__version__"}:
        thing = getattr(module, name)
        plain = not callable(thing) or (inspect.isclass(thing) and issubclass(thing, Exception))
        if not plain and name not in RESULTS and ">>>" not in (inspect.getdoc(thing) or ""):
            lacking.append(name)
    assert not lacking


# Not asked for: sections that not every page needs (ES01, SA01), examples (above), the name of what
# is returned, which these docstrings give (RT02), and what mistakes "files" for a verb and "(X, y)"
# for a word (RT04, SS05).
NOT_ASKED = {"ES01", "SA01", "EX01", "RT02", "RT04", "SS05"}


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_are_numpydoc(package):
    troubles = []
    module = importlib.import_module(package)
    for name in documented().get(package, ()):
        thing = getattr(module, name)
        if not callable(thing):
            continue
        names = [name]
        if inspect.isclass(thing):
            names += [
                f"{name}.{method}"
                for method, function in vars(thing).items()
                if inspect.isfunction(function) and not method.startswith("_")
            ]
        for each in names:
            # The fields of a result are what the class lists as parameters, or attributes; errors
            # take the parameters of their base.
            is_error = inspect.isclass(thing) and issubclass(thing, Exception)
            fields = {"PR01", "RT01"} if name in RESULTS or is_error else set()
            troubles += [
                f"{package}.{each}: {code} {said}"
                for code, said in validate(f"{package}.{each}")["errors"]
                if code not in NOT_ASKED | fields
            ]
    assert troubles == []

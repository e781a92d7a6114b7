"""Features by name: skmer's own, and a toy network that joins in two files."""

import importlib
import sys
import textwrap
from types import ModuleType

import pandas as pd
import pytest

from skmer import L3Transformer, MFCCStatsTransformer, MusiCNNTransformer, VGGishTransformer
from skmer.cli import main
from skmer.datasets import load_toy_emotions
from skmer.embeddings import FEATURES, list_weights, make_transformer, registry, resolve_features
from skmer.embeddings.registry import feature_of, find_feature, known_features, label_of
from skmer.evaluation import evaluate
from skmer.exceptions import InputError

CLASSES = {
    "musicnn": MusiCNNTransformer,
    "l3": L3Transformer,
    "vggish": VGGishTransformer,
    "mfcc": MFCCStatsTransformer,
}


@pytest.mark.parametrize("preset", ["koh2021", "tuned"])
@pytest.mark.parametrize("name", FEATURES)
def test_every_name_has_its_transformer(name, preset, tmp_path):
    transformer = make_transformer(name, preset=preset, memory=tmp_path, n_jobs=2, verbose=True)
    assert type(transformer) is CLASSES[name]
    assert (transformer.memory, transformer.n_jobs, transformer.verbose) == (tmp_path, 2, True)


def test_only_random_weights_have_a_seed():
    assert make_transformer("l3", weights=None, random_state=3).random_state == 3
    assert make_transformer("l3", random_state=3).random_state is None


def test_the_study_has_an_l3_of_its_own():
    study, tuned = (make_transformer("l3", preset=preset) for preset in ("koh2021", "tuned"))
    assert (study.hop_size, study.frontend) == (0.1, "trained")
    assert tuned.get_params() == L3Transformer().get_params()


@pytest.mark.parametrize("wrong", [{"name": "L3"}, {"name": "l3", "preset": "best"}])
def test_unknown_words_are_refused(wrong):
    with pytest.raises(InputError, match=r"must be one .*of .*Got '(L3|best)'"):
        make_transformer(**wrong)


def test_resolved_by_name_or_by_the_place_of_a_factory(monkeypatch):
    found = resolve_features(["mfcc", "mine=skmer:MFCCStatsTransformer"], memory="cache", n_jobs=2)
    assert list(found) == ["mfcc", "mine"]
    assert all((one.memory, one.n_jobs) == ("cache", 2) for one in found.values())
    assert list(resolve_features()) == list(FEATURES)
    # What the place has may be a transformer that is made already.
    own = ModuleType("own_transformers")
    own.mine = MFCCStatsTransformer(deltas=0)
    monkeypatch.setitem(sys.modules, "own_transformers", own)
    (made,) = resolve_features(["mine=own_transformers:mine"], n_jobs=2).values()
    assert (made.deltas, made.n_jobs, own.mine.n_jobs) == (0, 2, None)
    weights = {"l3": None, "vggish": "some.ckpt"}
    found = resolve_features(["l3", "vggish", "musicnn"], weights=weights, random_state=1)
    assert [one.weights for one in found.values()] == [None, "some.ckpt", "pretrained"]
    assert [one.random_state for one in found.values()] == [1, None, None]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["l3", "l3"], "'l3' twice"),
        ([], "at least one"),
        ([3], "name 3"),
        (["mine=skmer.nowhere:Net"], "'mine' cannot be imported from 'skmer.nowhere:Net'"),
        (["mine=skmer:Net"], "cannot be imported"),
        (["mine=skmer:__version__"], "must be a Feature"),
        (["mine=builtins:dict"], "must make a transformer"),
        (["mine=os.path:join"], "a call without arguments, which raised TypeError"),
    ],
)
def test_names_that_lead_nowhere(names, said):
    with pytest.raises((InputError, TypeError), match=said):
        resolve_features(names)
    # Nothing of it stays, neither to be made again nor to be trusted.
    assert "builtins.dict" not in registry.transformer_names()


def test_an_entry_point_is_a_feature(monkeypatch):
    monkeypatch.setattr(
        registry,
        "_entry_points",
        lambda: {"theirs": "skmer:MFCCStatsTransformer", "broken": "no:x"},
    )
    assert type(make_transformer("theirs")) is MFCCStatsTransformer
    assert {one.name for one in known_features()} >= {"theirs", *FEATURES}
    with pytest.raises(InputError, match="'broken' cannot be imported"):
        find_feature("broken")


TOY = """
from dataclasses import dataclass

import numpy as np
from skmer.audio import Framing
from skmer.embeddings import BaseClipTransformer, Feature, Recipe
from skmer.embeddings.weights import WeightsFile


@dataclass(frozen=True, kw_only=True)
class ToyRecipe(Recipe):
    kind = "toy"

    def compute(self, waveform, n_threads):
        rows = []
        for frames in Framing(8000, 8000).blocks(waveform, size=64):
            spectra = np.abs(np.fft.rfft(frames))[:, :400].reshape(len(frames), 8, 50)
            rows.append(np.log(spectra.mean(axis=2) + 1e-3))
        return np.concatenate(rows).astype(np.float32), set()


class ToyTransformer(BaseClipTransformer):
    _name = "toy"
    _recipe_class = ToyRecipe

    def _network_sr(self):
        return 16000

    def _frame_size(self):
        return 8

    def _hop_seconds(self):
        return 0.5


FEATURE = Feature(
    name="toy",
    make=ToyTransformer,
    label="Toy network",
    color="#123456",
    licence="MIT (toy)",
    bibtex="@misc{toy}",
    weights=(
        WeightsFile(
            name="toy-weights", file="toy.bin", checksums={"md5": "0" * 32}, licence="MIT",
            citation="Nobody, 'Toys', 2021.", base_url="https://toys.invalid/",
        ),
    ),
)
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A fifth network: a file, and a line in the registry."""
    (tmp_path / "toy_network.py").write_text(textwrap.dedent(TOY))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setitem(registry.NETWORKS, "toy", "toy_network:FEATURE")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    return tmp_path


def command(*words):
    assert not main([str(word) for word in words])


def test_a_fifth_network_is_used_by_its_name(toy, capsys, monkeypatch):
    assert label_of("toy") == "Toy network"
    assert feature_of(make_transformer("toy")).licence == "MIT (toy)"
    assert "toy-weights" in {row.name for row in list_weights()}
    clips = load_toy_emotions()
    data = clips.data
    table = pd.DataFrame({"path": data, "label": clips.target, "group": clips.groups})
    table.to_csv("clips.csv", index=False)
    result = evaluate(
        ["toy", "mfcc"], ["nb"], data, clips.target, groups=clips.groups, n_folds=2, n_repeats=1
    )
    assert set(result.scores["feature"]) == {"toy", "mfcc"}
    page = result.report("report.html").read_text("utf-8")
    for part in ("Toy network", "@misc{toy}"):
        assert part in page

    command("weights", "list")
    assert "toy-weights" in capsys.readouterr().out
    command("extract", "clips.csv", "--features", "toy,mfcc", "--out", "rows.csv")
    assert pd.read_csv("rows.csv")["toy_mean_7"].notna().all()
    train = ("--classifiers", "nb", "--folds", 2, "--out")
    command("train", "clips.csv", "--features", "toy", *train, "toy.skmer")
    command("predict", "toy.skmer", *data[:2], "--out", "labels.csv")
    assert len(pd.read_csv("labels.csv")) == 2
    assert "MIT (toy)" in (toy / "toy.md").read_text()

    # The same by the place of its factory, without a line in the registry.
    monkeypatch.delitem(registry.NETWORKS, "toy")
    monkeypatch.setattr(registry, "_own", {})
    mine = "mine=toy_network:FEATURE"
    once = ("--classifiers", "nb", "--folds", 2, "--repeats", 1)
    command("evaluate", "clips.csv", "--features", mine, *once, "--out", "out")
    assert "Toy network" in (toy / "out" / "report.html").read_text("utf-8")
    command("extract", "clips.csv", "--features", mine, "--out", "again.csv")
    assert pd.read_csv("again.csv")["toy_mean_0"].equals(pd.read_csv("rows.csv")["toy_mean_0"])
    command("train", "clips.csv", "--features", mine, *train, "mine.skmer")
    command("predict", "mine.skmer", data[0], "--out", "label.csv")

"""The command in this process, and clips to run it on."""

from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from skmer.cli import main


@dataclass
class Outcome:
    """What a call of the command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def skmer(capsys, tmp_path, monkeypatch):
    """Call the command with everything it may write below a temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKMER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SKMER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("SKMER_CACHE", str(tmp_path / "embeddings"))
    # The tables of rich as wide as in a wide terminal.
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words):
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return call


@pytest.fixture
def one_sentence(skmer):
    """Call the command, which must refuse; return what it says."""

    def call(*words):
        outcome = skmer(*words)
        assert outcome.status == 2
        assert outcome.out == ""
        assert outcome.err.startswith("error: ")
        assert outcome.err.count("\n") == 1
        return outcome.err.removeprefix("error: ").strip()

    return call


@pytest.fixture
def clips(tmp_path):
    """A folder of 20 clips, 10 of each of 2 classes, and a csv file that lists them."""
    folder = tmp_path / "clips"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["path,label,group"]
    for i in range(20):
        label = ("calm", "tense")[i % 2]
        noise = rng.standard_normal(4000) * (0.1 if label == "calm" else 0.2)
        tone = np.sin(2 * np.pi * (300 + 300 * (i % 2)) * np.arange(4000) / 16000)
        soundfile.write(folder / f"{i:02}.wav", noise + 0.2 * tone, 16000)
        rows.append(f"{i:02}.wav,{label},singer {i % 5}")
    (folder / "clips.csv").write_text("\n".join(rows))
    return folder

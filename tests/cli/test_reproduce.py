"""`skmer reproduce koh2021` from end to end, on a replica of RAVDESS."""

import signal
import subprocess
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.model_selection import RepeatedKFold

from skmer.datasets import fetch_emomusic
from skmer.evaluation import (
    FixedSplit,
    RepeatedStratifiedGroupKFold,
    evaluate_regression,
    rounds,
)
from skmer.studies.koh2021 import pieces
from tests.command import SKMER

SR = 8000
WORDS = ("reproduce", "koh2021", "--quick", "--features", "mfcc", "--classifiers", "svm,nb")
# The replica has some of the singers, as the data of a user may.
pytestmark = pytest.mark.filterwarnings("ignore::skmer.exceptions.IncompleteDatasetWarning")


@pytest.fixture(scope="module")
def data_home(tmp_path_factory):
    """Six singers, three emotions, eight clips each, in RAVDESS's layout."""
    home = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    time = np.arange(SR // 2) / SR
    for actor in range(1, 7):
        folder = home / "ravdess_song" / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for k, emotion in enumerate(("02", "04", "05")):
            for take in range(8):
                parts = (take // 4 + 1, take // 2 % 2 + 1, take % 2 + 1)
                name = "-".join(
                    ["03-02", emotion, *(f"{part:02d}" for part in parts), f"{actor:02d}"]
                )
                pitch = (150 if actor % 2 else 300) * (1 + 0.2 * k) + 5 * actor
                tone = np.sin(2 * np.pi * pitch * time) + rng.normal(scale=0.3, size=time.size)
                soundfile.write(folder / f"{name}.wav", 0.2 * tone, SR)
    return home


@pytest.fixture
def reproduce(skmer, data_home, tmp_path):
    return lambda *words: skmer(*WORDS, "--data-home", data_home, "--out", tmp_path / "out", *words)


def test_report_and_resume(reproduce, tmp_path, monkeypatch):
    outcome = reproduce()
    assert outcome.status == 0, outcome.err
    assert "Pieces computed: " in outcome.err
    out = tmp_path / "out"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "This is a quick run" in page
    assert "3 instead of 20 random 80/10/10 splits" in page
    assert 'id="chart-ravdess-song-faithful"' in page
    assert 'id="chart-map"' in page
    assert 'href="http' not in page
    for edition in ("faithful", "defensible"):
        assert "Confusion" in (out / f"ravdess-song-{edition}.html").read_text(encoding="utf-8")

    table = pd.read_csv(out / "table.csv")
    ran = table[table["feature"] == "mfcc"]
    assert ran["classifier"].tolist() == ["svm", "nb"]
    assert (ran["faithful_protocol"] == "koh2021").all()
    assert (ran["defensible_protocol"] == "grouped").all()
    for edition in ("faithful", "defensible"):
        assert (ran[f"{edition}_low"] <= ran[edition]).all()
        assert (ran[edition] <= ran[f"{edition}_high"]).all()
        assert ran[f"{edition}_gap"].notna().all()
    printed = table[(table["dataset"] == "ravdess-song") & (table["feature"] == "l3")]
    assert printed["published"].tolist() == [0.71]

    claims = pd.read_csv(out / "claims.csv")
    assert set(claims["verdict"]) <= {"held", "not held", "not testable here"}
    on_l3 = claims["claim"].str.contains("L3-Net") & ~claims["claim"].str.contains("MFCC reaches")
    assert (claims.loc[on_l3, "verdict"] == "not testable here").all()
    reports = claims[claims["claim"].str.contains("classification report")]
    assert reports["verdict"].tolist() == ["not held", "not held"]

    calls = []
    for module, name in (
        (rounds, "fit_and_predict"),
        (pieces.evaluation, "audit"),
        (pieces, "_check_reports"),
        (pieces, "tsne_map"),
        (pieces, "tsne_purity"),
    ):
        monkeypatch.setattr(module, name, lambda *a, name=name, **k: calls.append(name))
    again = reproduce()
    assert again.status == 0, again.err
    assert calls == []
    assert "Pieces computed: 0" in again.err
    pd.testing.assert_frame_equal(pd.read_csv(out / "table.csv"), table)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_published_features_of_emomusic_as_in_python(skmer, shared, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("emomusic", "choi2017"):
        (home / name).symlink_to(shared / "data" / name)
    words = ("reproduce", "koh2021", "--quick", "--features", "mfcc", "--data-home", home)
    outcome = skmer(*words, "--out", tmp_path / "out")
    assert outcome.status == 0, outcome.err
    table = pd.read_csv(tmp_path / "out" / "table.csv").query("feature == 'choi2017'")
    table = table.set_index("target")

    layers = [shared / "data" / "choi2017" / f"emoMusic_layer_{i}.npy" for i in range(5)]
    songs = fetch_emomusic(data_home=home, annotations_only=True)

    def r2(targets, **protocols):
        result = evaluate_regression(
            {"choi": np.hstack([np.load(layer) for layer in layers])},
            ["svr"],
            None,
            {target: songs.frame[target.replace(" ", "_")] for target in targets},
            groups=songs.groups,
            protocol=protocols,
            audit=False,
        )
        return result.summary().set_index(["protocol", "target"])["r2"]

    fixed = r2(table.index, fixed=FixedSplit(songs.split))["fixed"]
    assert table.loc[fixed.index, "defensible"].tolist() == pytest.approx(fixed.tolist())
    assert fixed["static arousal"] == pytest.approx(0.644, abs=5e-4)
    assert fixed["static valence"] == pytest.approx(0.440, abs=5e-4)
    folds = r2(
        ["static arousal"],
        shuffled=RepeatedKFold(n_splits=5, n_repeats=1, random_state=0),
        grouped=RepeatedStratifiedGroupKFold(5, n_repeats=1, random_state=0),
    )
    random, grouped = (folds[name, "static arousal"] for name in ("shuffled", "grouped"))
    row = table.loc["static arousal"]
    assert row["faithful"] == pytest.approx(random)
    assert row["faithful_gap"] == pytest.approx(random - grouped)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_three_times_and_finished_by_two_at_once(data_home, tmp_path):
    command = [*SKMER, *WORDS[:-1], "nb", "--data-home", data_home, "--out"]
    started = time.monotonic()
    subprocess.run([*command, tmp_path / "calm"], check=True)
    seconds = time.monotonic() - started
    rng = np.random.default_rng(0)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen([*command, tmp_path / "killed"])
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.1, 0.5) * seconds)
        process.send_signal(number)
        process.wait(60)
    both = [subprocess.Popen([*command, tmp_path / "killed"]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    for name in ("table.csv", "claims.csv"):
        assert (tmp_path / "killed" / name).read_text() == (tmp_path / "calm" / name).read_text()


def test_without_weights_there_is_nothing_to_do(skmer, data_home):
    words = ("reproduce", "koh2021", "--features", "l3", "--data-home", data_home)
    outcome = skmer(*words)
    assert outcome.status == 2
    assert "None of the features can be computed" in outcome.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("reproduce", "koh2020"), "STUDY must be koh2021"),
        (("reproduce", "koh2021", "--features", "l4"), "--features option must be"),
        (("reproduce", "koh2021"), "None of the study's datasets is in place"),
    ],
)
def test_mistakes(skmer, words, says):
    outcome = skmer(*words)
    assert outcome.status == 2
    assert says in outcome.err


def test_a_study_that_was_ended_reports_the_rounds_so_far_and_goes_on(
    reproduce, tmp_path, monkeypatch
):
    numbers, do = [], rounds.fit_and_predict

    def fit(one):
        numbers.append(len(numbers))
        # Of the 8 fits of each of 2 cells 6 are of the first round.
        if len(numbers) in stops:
            raise KeyboardInterrupt
        return do(one)

    monkeypatch.setattr(rounds, "fit_and_predict", fit)
    # Which take seconds, and have nothing to do with rounds.
    monkeypatch.setattr(pieces, "map_singers", lambda *given: None)
    reproduce = partial(reproduce, "--classifiers", "nb")
    out = tmp_path / "out"
    stops = {2}
    assert reproduce().status == 130
    assert not (out / "report.html").exists()
    assert "The --time option is too short: no classifier has a whole round" in (
        reproduce("--time", "0").err
    )
    stops = {len(numbers) + 2 * 6 + 1}
    outcome = reproduce()
    assert outcome.status == 130
    assert "1 of 3 rounds are done, about " in outcome.err
    assert "1 of 3 rounds. The same command goes on" in (out / "report.html").read_text()
    so_far = pd.read_csv(out / "table.csv")
    assert so_far["faithful"].notna().sum() == 1
    stops = set()
    assert reproduce().status == 0
    # No fit was done twice, but for those that were ended.
    assert len(numbers) == 2 * 8 + 2
    assert "goes on" not in (out / "report.html").read_text()

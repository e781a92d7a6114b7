"""`skmer evaluate` from end to end."""

import json
import os
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest
from sklearn.utils import Bunch

from skmer.cli import options
from skmer.embeddings import FEATURES
from skmer.evaluation import rounds
from skmer.exceptions import WeightsNotFoundError


def test_toy_under_both_protocols(skmer, tmp_path):
    outcome = skmer(
        *("evaluate", "toy", "--features", "mfcc", "--classifiers", "svm,nb"),
        *("--protocol", "grouped,koh2021", "--repeats", 2, "--seed", 3),
    )
    assert outcome.status == 0
    folder = tmp_path / "skmer-results" / "toy"
    # Data and what is told of it go apart.
    assert [line.split()[:2] for line in outcome.out.splitlines()] == [
        ["feature", "classifier"], ["-------", "----------"], ["mfcc", "svm"], ["mfcc", "nb"]
    ]  # fmt: skip
    assert outcome.err.splitlines()[-1] == (
        "Scores, predictions, manifest and report.html are in skmer-results/toy"
    )
    assert "gap = koh2021 - grouped" in outcome.err
    assert "the audit of koh2021 found: " in outcome.err
    assert "fits " in outcome.err
    assert "Round 1 of 2 done, about " in outcome.err

    scores = pd.read_csv(folder / "scores.csv")
    assert list(scores.columns[:9]) == [
        *("feature", "classifier", "protocol", "repeat", "fold"),
        *("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy"),
    ]
    counts = scores.groupby(["classifier", "protocol"]).size()
    assert counts.to_dict() == {
        ("nb", "grouped"): 10,
        ("nb", "koh2021"): 2,
        ("svm", "grouped"): 10,
        ("svm", "koh2021"): 2,
    }
    for name, score in scores.groupby(["classifier", "protocol"])["accuracy"].mean().items():
        assert 0.25 < score < 1, name
    assert len(pd.read_csv(folder / "predictions.csv")) == 2 * (2 * 80 + 2 * 8)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["dataset"]["name"] == "toy"
    assert manifest["settings"]["random_state"] == 3
    assert manifest["settings"]["preset"] == "tuned"
    assert manifest["command"].startswith("skmer evaluate toy --features mfcc --classifiers svm,nb")
    assert (folder / "report.html").read_text().lstrip().startswith("<!")


def test_one_dataset_is_fitted_and_another_tested(skmer, one_sentence, clips, tmp_path):
    header, *rows = (clips / "clips.csv").read_text().splitlines()
    for name, part in (("one", rows[:12]), ("two", rows[10:])):
        (clips / f"{name}.csv").write_text("\n".join([header.replace("label", "mood"), *part]))
    outcome = skmer(
        *("evaluate", clips / "one.csv", "--test-on", clips / "two.csv", "--label-column", "mood"),
        *("--features", "mfcc", "--classifiers", "nb", "--folds", 2, "--repeats", 1),
    )
    assert outcome.status == 0, outcome.err
    assert "Fitted on one.csv, tested on two.csv: The best, MFCC + NB" in outcome.err
    folder = tmp_path / "skmer-results" / "one-to-two"
    scores = pd.read_csv(folder / "scores.csv").set_index("protocol")
    # Two clips are in both, and left out of the larger dataset.
    assert scores.loc["across", ["n_train", "n_test"]].tolist() == [10, 10]
    assert scores.loc["grouped", "n_test"].sum() == 12
    assert "2 clips of one.csv are in the other dataset too" in (folder / "report.html").read_text()
    assert one_sentence("evaluate", "toy", "--both-ways").endswith("are for --test-on.")
    wrong = one_sentence("evaluate", "toy", "--test-on", "toy", "--scales", "1,9")
    assert wrong.startswith("--scales must be the ends of two scales")


def test_options_of_a_table_are_for_the_one_of_two_datasets_that_takes_them(monkeypatch):
    monkeypatch.setattr(options, "load_clips", lambda clips: clips)
    given = options.ClipOptions(
        dataset="4q", data_home="d", label_column="mood", group_from="{group} - *"
    )
    first, second = options.load_pair(given, "own.csv")
    assert (second.dataset, second.label_column, second.data_home) == ("own.csv", "mood", "d")
    assert first.label_column is None
    # For neither of them, so that the first one raises.
    assert first.group_from == "{group} - *"
    assert options.known_scale("emomusic", ["static_arousal"], ["arousal"]) == (1, 9)
    assert options.known_scale("emomusic", ["dynamic_arousal"], ["dynamic_arousal"]) == (-1, 1)
    assert options.known_scale("own.csv", ["arousal"], ["arousal"]) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmer.exceptions.ShortClipWarning")
def test_random_weights_are_labelled(skmer, clips, tmp_path):
    outcome = skmer(
        *("evaluate", clips / "clips.csv", "--features", "l3", "--classifiers", "nb"),
        *("--weights", "random", "--repeats", 1, "--out", tmp_path / "out"),
        *("--cache", tmp_path / "cache"),
    )
    assert outcome.status == 0
    assert "l3 (random weights)" in outcome.out
    assert "20 entries" in skmer("cache", "size", tmp_path / "cache").out


def test_a_csv_without_groups_is_split_at_random_and_says_so_first(skmer, clips, one_sentence):
    frame = pd.read_csv(clips / "clips.csv").rename(columns={"group": "Singer"})
    frame.to_csv(clips / "plain.csv", index=False)
    outcome = skmer("evaluate", clips / "plain.csv", *QUICK, "--out", "out")
    assert outcome.status == 0
    assert "--group-column Singer" in outcome.err
    first = "The artists are not known, so the same artist may be in training and test"
    assert any(line.startswith(first) for line in outcome.err.splitlines())
    page = Path("out/report.html").read_text()
    assert f'<p class="headline">{first}' in page
    notes = page[page.index('<ul class="notes">') :]
    assert notes.index(first) < notes.index("The audit found")
    assert set(pd.read_csv("out/scores.csv")["protocol"]) == {"shuffled"}
    words = ("evaluate", clips / "plain.csv", *QUICK, "--protocol", "grouped", "--out", "other")
    said = skmer(*words).err.splitlines()[-1]
    assert said.startswith("error: --protocol grouped needs the artist or singer of each clip")


@pytest.mark.filterwarnings("default:.*There are no groups")
def test_a_folder_of_names_with_artists_is_evaluated_and_then_by_the_option(skmer, clips):
    for i, clip in enumerate(sorted(clips.glob("*.wav"))):
        place = clips / "songs" / "ab"[i % 2] / f"singer {i % 5} - {i}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        clip.rename(place)
    outcome = skmer("evaluate", clips / "songs", *QUICK)
    assert outcome.status == 0
    assert outcome.err.count("--group-from") == 1
    assert "--group-from '{group} - *'" in outcome.err
    # No results are in the way of the command that was advised.
    outcome = skmer("evaluate", clips / "songs", *QUICK, "--group-from", "{group} - *")
    assert outcome.status == 0, outcome.err
    assert "artists are not known" not in outcome.err
    assert outcome.err.splitlines()[-1].endswith("are in skmer-results/songs-2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mine"], "must be one of toy, toy-tags, ravdess-song, emomusic, "),
        (["Ravdess"], "Got 'Ravdess'. Did you mean 'ravdess-song'?"),
        *[([path], "does not exist.") for path in ("songs/", "./songs", "~songs", "a.b", "a/toy")],
        (["toy", "--features", "mfcc,sound"], "Got 'sound'"),
        (["toy", "--features", "mfcc,mfcc"], "--features option has 'mfcc' twice"),
        (["toy", "--weights", "l3"], "pretrained, random, or files such as l3=PATH"),
        (["toy", "--weights", "l3=missing.h5", "--features", "l3"], "missing.h5 does not exist"),
        (["toy", "--weights", "l3=a.h5", "--features", "mfcc"], "that have weights. Got 'l3'"),
        (["toy", "--weights", "mfcc=a.h5", "--features", "mfcc"], "that have weights. Got 'mfcc'"),
        (["toy", "--duration", "30"], "--duration is a setting of --features; give their names"),
        (["toy", "--target", "arousal"], "--target must be label, or columns of numbers"),
        (["toy", "--group-from", "{group} - *"], "--group-from option is not for the dataset toy"),
        (["missing.csv"], "no csv file"),
        (["ravdess-song", "--data-home", "nowhere"], "nowhere"),
    ],
)
def test_mistakes(one_sentence, words, said):
    assert said in one_sentence("evaluate", *words)


@pytest.mark.parametrize(
    ("option", "given"),
    [("classifiers", "svn"), ("protocol", "random"), ("preset", "mine"), ("on-error", "mine")],
)
def test_messages_name_the_option(one_sentence, monkeypatch, option, given):
    clips = Bunch(data=["a.wav"] * 20, target=["a", "b"] * 10, groups=range(20))
    monkeypatch.setattr("skmer.datasets.load_dataset", lambda *args, **options: clips)
    message = one_sentence("evaluate", "toy", "--features", "mfcc", f"--{option}", given)
    assert f"--{option} option" in message
    assert given in message


def test_missing_weights_are_told_first_and_in_the_words_of_the_command(one_sentence):
    # Were MFCC computed first, their progress bar would stand before the sentence.
    message = one_sentence("evaluate", "toy", "--features", "mfcc,l3", "--classifiers", "nb")
    assert "'openl3-mel256-music'" in message
    assert "pass --weights random" in message


def test_a_bad_csv(one_sentence, clips):
    (clips / "bad.csv").write_text("file,emotion\na.wav,sad\n")
    assert "must have the columns 'path' and 'label'" in one_sentence("evaluate", clips / "bad.csv")


def test_out_is_tried_before_any_work(one_sentence, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("the dataset was loaded first")

    monkeypatch.setattr("skmer.datasets.load_dataset", fail)
    (tmp_path / "file").touch()
    message = one_sentence("evaluate", "toy", "--out", tmp_path / "file" / "folder")
    assert "cannot be written into the folder" in message


QUICK = ("--features", "mfcc", "--classifiers", "nb", "--repeats", 1)


def test_three_singers_can_be_evaluated(skmer, clips):
    frame = pd.read_csv(clips / "clips.csv")
    frame["group"] = frame.index % 3
    frame.to_csv(clips / "clips.csv", index=False)
    outcome = skmer("evaluate", clips / "clips.csv", *QUICK, "--out", "out")
    assert outcome.status == 0, outcome.err
    assert len(pd.read_csv("out/scores.csv")) == 3


def test_results_of_another_command_are_replaced_by_force_alone(skmer, one_sentence, clips):
    words = ("evaluate", clips / "clips.csv", *QUICK, "--out", "out")
    assert skmer(*words).status == 0
    assert skmer(*words).status == 0
    message = one_sentence(*words, "--seed", 1)
    assert "holds the results of another command (skmer evaluate" in message
    assert "--force" in message
    assert json.loads(Path("out/manifest.json").read_text())["settings"]["random_state"] == 0
    assert skmer(*words, "--seed", 1, "--force").status == 0
    assert skmer(*words, "--seed", 1).status == 0
    assert json.loads(Path("out/manifest.json").read_text())["settings"]["random_state"] == 1


def test_a_command_that_was_ended_goes_on_with_a_report_so_far(skmer, clips, monkeypatch):
    numbers, do = [], rounds.fit_and_predict

    def fit(one):
        numbers.append(len(numbers))
        if len(numbers) == 13:
            os.kill(os.getpid(), signal.SIGTERM)
        return do(one)

    monkeypatch.setattr(rounds, "fit_and_predict", fit)
    words = ("evaluate", clips / "clips.csv", *QUICK[:-1], 3, "--out", "out", "--jobs", 1)
    outcome = skmer(*words, "--time", "1h")
    assert outcome.status == 128 + signal.SIGTERM
    assert "2 of 3 rounds are done, about " in outcome.err
    assert "2 of 3 rounds are done" in Path("out/report.html").read_text()
    assert len(pd.read_csv("out/scores.csv")) == 10
    # --time is no other command.
    outcome = skmer(*words)
    assert outcome.status == 0, outcome.err
    assert "12 of 15 fits were finished before" in outcome.err
    assert len(numbers) == 16
    assert len(pd.read_csv("out/scores.csv")) == 15
    assert "rounds are done" not in Path("out/report.html").read_text()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30m", 1800), ("1h30m", 5400), ("1.5h", 5400), ("2 min", 120)],
)
def test_times(text, seconds):
    assert options.parse_time(text) == seconds


def test_a_time_that_is_none_or_too_short(one_sentence, clips):
    words = ("evaluate", clips / "clips.csv", *QUICK, "--out", "out")
    for text in ("soon", "-5", "3 weeks", ""):
        assert "must be like 90s, 30m" in one_sentence(*words, "--time", text)
    said = one_sentence(*words, "--quiet", "--time", 0)
    assert said.startswith("The --time option, 0 s, is too short")


def test_embeddings_are_kept_for_train_unless_that_is_not_wanted(
    skmer, one_sentence, clips, monkeypatch
):
    words = (clips / "clips.csv", "--features", "mfcc", "--classifiers", "nb")
    assert skmer("evaluate", *words, "--repeats", 1, "--no-cache", "--out", "a").status == 0
    assert skmer("cache").out.splitlines()[1].startswith("0 embeddings")
    assert skmer("evaluate", *words, "--repeats", 1, "--out", "b").status == 0
    assert skmer("cache", "show").out.splitlines()[1].startswith("20 embeddings")

    def fail(*args):
        raise AssertionError("a clip was embedded again")

    with monkeypatch.context() as patch:
        patch.setattr("skmer.embeddings.recipe._compute", fail)
        assert skmer("train", *words, "--out", "m.skmer").status == 0
    # What was written first goes first, until the size is what it may be.
    n_bytes = int(skmer("cache", "size").out.split()[2])
    monkeypatch.setenv("SKMER_CACHE_BYTES", str(n_bytes // 2))
    assert skmer("evaluate", *words, "--repeats", 1, "--out", "b").status == 0
    assert skmer("cache").out.splitlines()[1].startswith("10 embeddings")
    assert skmer("cache", "clear").out == "10 entries removed, 0 bytes left\n"
    monkeypatch.setenv("SKMER_CACHE_BYTES", "10 GB")
    assert "SKMER_CACHE_BYTES must be a number of bytes" in one_sentence("cache")
    said = skmer("evaluate", *words, "--out", "c", "--cache", "d", "--no-cache").err
    assert "--cache and --no-cache exclude each other" in said


def test_quiet_leaves_data_errors_and_warnings(skmer, clips):
    outcome = skmer("evaluate", clips / "clips.csv", *QUICK, "--quiet")
    assert outcome.status == 0
    assert outcome.err == ""
    assert "mfcc" in outcome.out


def test_a_tilde_behind_an_equals_sign_is_the_home(skmer, clips, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    words = ("--out=~/out", "--cache=~/cache", "--data-home=~/data")
    assert skmer("evaluate", clips / "clips.csv", *QUICK, *words).status == 0
    assert (tmp_path / "home" / "out" / "scores.csv").is_file()
    assert skmer("cache", "size", "~/cache").out.startswith("20 entries")
    assert not (tmp_path / "~").exists()
    assert skmer("extract", "~/../clips/0*.wav", "--features", "mfcc", "--out=~/t.csv").status == 0
    assert (tmp_path / "home" / "t.csv").is_file()


@pytest.mark.slow
def test_leaks_that_the_audit_calls_errors_are_said(skmer, clips):
    frame = pd.read_csv(clips / "clips.csv")
    shutil.copy(clips / "00.wav", clips / "copy.wav")
    frame.loc[len(frame)] = ["copy.wav", "calm", "singer 3"]
    frame.to_csv(clips / "clips.csv", index=False)
    outcome = skmer("evaluate", clips / "clips.csv", *QUICK, "--quiet")
    assert outcome.status == 0
    assert "the audit of grouped found: " in outcome.err


def test_columns_of_other_names_and_numbers_as_targets(skmer, clips):
    frame = pd.read_csv(clips / "clips.csv")
    frame = frame.rename(columns={"path": "file", "label": "mood", "group": "who"})
    frame["arousal"] = [0.1 * i for i in range(20)]
    frame["valence"] = [1.0, -1.0] * 10
    frame.to_csv(clips / "named.csv", index=False)
    words = ("evaluate", clips / "named.csv", "--features", "mfcc", "--path-column", "file")
    words = (*words, "--group-column", "who", "--repeats", 1, "--out")
    outcome = skmer(*words, "a", "--label-column", "mood", "--classifiers", "nb")
    assert outcome.status == 0, outcome.err
    assert set(pd.read_csv("a/predictions.csv")["y_true"]) == {"calm", "tense"}
    outcome = skmer(
        *(*words, "b", "--target", "arousal,valence", "--classifiers", "ridge"),
        *("--folds", 5, "--protocol", "grouped,shuffled"),
    )
    assert outcome.status == 0, outcome.err
    assert outcome.out.splitlines()[0].split()[:3] == ["feature", "regressor", "target"]
    assert set(pd.read_csv("b/scores.csv")["target"]) == {"arousal", "valence"}


def test_a_folder_of_labels_whose_bad_clips_are_skipped(skmer, clips):
    for i, clip in enumerate(sorted(clips.glob("*.wav"))):
        (clips / "all" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        clip.rename(clips / "all" / "ab"[i % 2] / f"singer{i % 5} - {i}.wav")
    next((clips / "all" / "a").iterdir()).write_text("no audio")
    (clips / "all" / "a" / "notes.txt").touch()
    words = ("evaluate", clips / "all", *QUICK, "--group-from", "{group} - *")
    outcome = skmer(*words)
    assert outcome.status == 2
    assert "--on-error skip" in outcome.err
    outcome = skmer(*words, "--on-error", "skip")
    assert outcome.status == 0, outcome.err
    assert "Clips skipped, as the report lists: 1." in outcome.err
    assert "20 clips below" in outcome.err
    assert "Left out: files that are not audio 1." in outcome.err
    assert len(pd.read_csv("skmer-results/all/predictions.csv")) == 19
    # The sentence is the same for a model, and its advice can be followed.
    words = ("train", *words[1:2], "--features", "mfcc", "--classifiers", "nb", "--folds", 2)
    words += ("--group-from", "{group} - *", "--out", "a.skmer")
    assert "--on-error skip" in skmer(*words).err
    outcome = skmer(*words, "--on-error", "skip")
    assert outcome.status == 0, outcome.err


def test_clips_of_a_table_that_do_not_exist_are_skipped_too(skmer, clips):
    table = clips / "clips.csv"
    lines = table.read_text().splitlines()
    row = f"gone.wav,{lines[1].split(',', 1)[1]}"
    table.write_text("\n".join([*lines[:4], row, *lines[4:]]) + "\n")
    words = ("evaluate", table, *QUICK)
    outcome = skmer(*words)
    assert outcome.status == 2
    assert f"1 of the {len(lines)} clips listed in {table} do not exist" in outcome.err
    assert "--on-error skip" in outcome.err
    outcome = skmer(*words, "--on-error", "skip")
    assert outcome.status == 0, outcome.err
    assert "Clips skipped, as the report lists: 1." in outcome.err
    predictions = pd.read_csv("skmer-results/clips/predictions.csv")
    assert set(predictions["row"]) == set(range(len(lines))) - {3}


@pytest.mark.filterwarnings("default::skmer.exceptions.FeatureLeftOutWarning")
def test_without_names_the_features_that_can_be_had_are_used(skmer, clips, monkeypatch):
    def refuse(self):
        raise WeightsNotFoundError("The weights are not here.")

    # Whatever weights this machine has.
    for name in ("L3Transformer", "VGGishTransformer", "MusiCNNTransformer"):
        monkeypatch.setattr(f"skmer.embeddings.{name}._fit_network", refuse)
    words = ("evaluate", clips / "clips.csv", "--classifiers", "nb", "--repeats", 1)
    outcome = skmer(*words)
    assert outcome.status == 0, outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()[2:]] == ["mfcc"]
    for name in set(FEATURES) - {"mfcc"}:
        assert f"The feature '{name}' is left out: " in outcome.err


def test_tags_of_a_table_of_ones_own(skmer, clips, one_sentence):
    table = pd.read_csv(clips / "clips.csv")
    moods = {"calm": ["calm|soft", "calm"], "tense": ["tense|loud", "loud | tense"]}
    table["moods"] = [moods[label][i // 2 % 2] for i, label in enumerate(table["label"])]
    table.drop(columns="label").to_csv(clips / "clips.csv", index=False)
    words = ("evaluate", clips / "clips.csv", "--features", "mfcc", "--classifiers", "nb")
    tags = ("--target", "tags", "--tags-column", "moods", "--tags-separator", "|")
    outcome = skmer(*words, *tags[2:], "--folds", 4, "--out", "out")
    assert outcome.status == 0
    assert "mean average precision" in outcome.err
    predictions = pd.read_csv("out/predictions.csv")
    names = {"calm", "loud", "soft", "tense"}
    assert {name for name in predictions if name.startswith("proba_")} == {
        f"proba_{name}" for name in names
    }
    page = Path("out/report.html").read_text(encoding="utf-8")
    assert "Clips with the surest wrong tag" in page
    assert page.count('aria-label="Play ') == 12
    said = one_sentence(*words, *tags[4:])
    assert said == "--tags-column and --tags-separator are for --target tags."
    assert "Give --tags-column NAME for the tags." in one_sentence(*words, *tags[:2])
    said = one_sentence("evaluate", "toy", "--target", "tags", "--features", "mfcc")
    assert said == "--target tags needs several tags a clip, which toy does not have."

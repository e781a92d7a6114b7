"""What holds of every command: status, one sentence, help, streams, little to import."""

import inspect
import io
import logging
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from typer.main import get_command

import skmer as package
from skmer.classifiers import CLASSIFIERS
from skmer.cli import app, main, terminal
from skmer.datasets import list_datasets
from skmer.embeddings import FEATURES

COMMANDS = (
    "evaluate", "extract", "train", "predict", "reproduce", "weights", "weights list", "weights fetch",
    "weights verify", "datasets", "datasets list", "datasets fetch", "datasets validate", "cache",
    "cache show", "cache size", "cache prune", "cache clear",
)  # fmt: skip
# The command as it is installed, in a process of its own.
SKMER = [sys.executable, "-m", "skmer"]


def test_version(skmer):
    outcome = skmer("--version")
    assert outcome.status == 0
    assert outcome.out == f"skmer {package.__version__}\n"


def test_alone_it_says_what_to_try_first(skmer):
    outcome = skmer()
    assert (outcome.status, outcome.err) == (0, "")
    assert "skmer evaluate toy" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal_and_has_two_examples(skmer, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    assert command.split()[0] in skmer("--help").out
    outcome = skmer(*command.split(), "--help")
    assert outcome.status == 0
    assert outcome.out.startswith(f"Usage: skmer {command} ")
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert len(re.findall(r"^ +\$ skmer ", outcome.out, flags=re.M)) == 2


def test_the_list_of_commands_is_not_cut(skmer, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert "..." not in skmer("--help").out.partition("Commands:")[2]


def test_help_names_what_there_is(skmer):
    text = " ".join(skmer("evaluate", "--help").out.split())
    for name in (*FEATURES, *CLASSIFIERS, *list_datasets()["name"]):
        assert re.search(rf"\b{name}\b", text)


def test_the_examples_are_options_that_exist(skmer):
    for command in COMMANDS:
        text = skmer(*command.split(), "--help").out
        for line in re.findall(r"\$ skmer (.*)", text):
            name = next(one for one in sorted(COMMANDS, key=len)[::-1] if line.startswith(one))
            for option in re.findall(r"--[a-z-]+", line):
                assert option in skmer(*name.split(), "--help").out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from skmer.cli import main; main(['--help']); "
        "print([name for name in ('sklearn', 'numpy', 'pandas', 'tensorflow', 'keras', "
        "'matplotlib', 'librosa') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["score"], "No such command 'score'"),
        (["evaluate"], "Missing argument 'DATASET'"),
        (["evaluate", "toy", "--feature", "mfcc"], "No such option: --feature"),
        (["evaluate", "toy", "--repeats", "some"], "--repeats"),
    ],
)
def test_wrong_words_on_the_command_line(one_sentence, words, said):
    message = one_sentence(*words)
    assert said in message
    assert message.endswith("See 'skmer --help'.")


def test_the_installed_command_exits_with_the_status():
    done = subprocess.run(
        [*SKMER, "evaluate", "toy", "--folds", "1"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: Invalid value for '--folds'")


@pytest.fixture
def failing(skmer, monkeypatch):
    """Call the command with an error in the library."""

    def call(error, *words):
        def fail(*args, **kwargs):
            raise error

        monkeypatch.setattr("skmer.datasets.load_dataset", fail)
        return skmer("evaluate", "toy", *words)

    return call


def test_an_interrupt_is_quiet(failing):
    outcome = failing(KeyboardInterrupt())
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")


@pytest.mark.parametrize(
    "error", [KeyError("a bug"), ValueError("a bug"), TypeError("a bug"), ImportError("a bug")]
)
def test_a_fault_of_skmers_is_no_mistake_of_the_user(failing, error):
    outcome = failing(error)
    assert outcome.status == 70
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert "a bug" in outcome.err
    assert "fault of skmer's" in outcome.err
    assert "--debug" in outcome.err


@pytest.mark.parametrize("how", ["option", "option at the end", "variable"])
def test_debug_shows_where_an_error_comes_from(failing, monkeypatch, how):
    if how == "variable":
        monkeypatch.setenv("SKMER_DEBUG", "1")
    words = () if how == "variable" else ("--debug",)
    outcome = failing(KeyError("a bug"), *words)
    assert outcome.status == 70
    assert "Traceback" in outcome.err
    assert "in fail" in outcome.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (package.exceptions.InputError("Not so."), "Not so."),
        (package.exceptions.InputTypeError("Not so."), "Not so."),
        (package.exceptions.WorkerError("Fewer jobs (n_jobs)."), "Fewer jobs (--jobs)."),
        (PermissionError(13, "Permission denied", "/x/y"), "'/x/y': Permission denied."),
        (OSError(28, "No space left on device"), "No space is left on the disk."),
        (MemoryError(), "The memory of this machine ran out."),
        (
            package.exceptions.InputError(
                "The 'n_folds' parameter of evaluate must be 2.", param="n_folds"
            ),
            "The --folds option of evaluate must be 2.",
        ),
    ],
)
def test_what_the_user_can_change_is_one_sentence(failing, error, said):
    outcome = failing(error)
    assert outcome.status == 2
    assert outcome.err.startswith(f"error: {said}")
    assert outcome.err.count("\n") == 1


# What a message of the command must not have: values by name, parameters, types, code.
PYTHON = re.compile(
    r"\b[a-z_]+=['\w\[]|parameter|instance of|\bNone\b(?! of)|\bdict\b|\bX\b|\by\b|'data_home'|KFold|Split\b"
)


@pytest.mark.parametrize(
    "words",
    [
        "evaluate clips.csv --folds 40",
        "evaluate clips.csv --protocol random",
        "evaluate clips.csv --protocol grouped,grouped",
        "evaluate clips.csv --protocol published",
        "evaluate clips.csv --jobs 0",
        "evaluate clips.csv --cache clips.csv",
        "evaluate clips.csv --preset mine",
        "evaluate clips.csv --group-from {group}",
        "evaluate clips.csv --weights sound=clips.csv",
        "evaluate clips.csv --features hub:me/mine@0000000#x",
        "evaluate alone.csv",
        "evaluate clips.csv --target arousal",
        "evaluate toy --group-column who",
        "evaluate one.csv",
        "evaluate few.csv --protocol koh2021",
        "evaluate few.csv --protocol shuffled",
        "evaluate bad.csv",
        "train clips.csv --out m.skmer --folds 40",
        "train few.csv --out m.skmer",
        "extract clips.csv --out t.csv --resampler mine",
        "extract clips.csv --out t.csv --pooling median",
        "extract clips.csv --out t.csv --duration -1",
        "extract clips.csv --out t.csv --jobs 0",
        "predict clips.csv 01.wav",
        "datasets fetch mtg-jamendo-moodtheme",
        "datasets validate 4q",
        "reproduce koh2021",
    ],
)
def test_no_message_has_words_of_python(skmer, clips, monkeypatch, words):
    monkeypatch.chdir(clips)
    lines = Path("clips.csv").read_text().splitlines()
    Path("one.csv").write_text("\n".join([lines[0], *lines[1::2]]))
    Path("alone.csv").write_text("\n".join([lines[0], *(f"{line[:9]},me" for line in lines[1:])]))
    Path("few.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines[:6]))
    Path("00.wav").write_text("no audio")
    Path("bad.csv").write_text("\n".join([lines[0], *lines[1:]]))
    used = words.split()
    if used[0] in ("evaluate", "train", "extract") and "--features" not in used:
        used += ["--features", "mfcc"]
        # Its models are others.
        used += ["--classifiers", "nb"] if "extract" not in used and "arousal" not in used else []
    outcome = skmer(*used, "--quiet")
    assert outcome.status == 2, outcome
    for line in outcome.err.splitlines():
        assert not PYTHON.search(line), line


def test_what_the_command_replaces_is_what_the_library_writes():
    from skmer.cli.app import _ADVICE

    source = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text()).replace("{{", "{").replace("}}", "}")
        for path in Path(package.__file__).parent.rglob("*.py")
        if path.parts[-2:] != ("cli", "app.py")
    )
    # scikit-learn writes these.
    theirs = ("a str among {", "a int among {", "a float in the", "an instance of ", " or None")
    theirs = (*theirs, "a tuple of one or", ", an instance of ", ", or None")
    for advice in _ADVICE:
        assert advice.startswith(theirs) or advice in source, advice


def test_a_warning_is_one_line(skmer, monkeypatch):
    def warn(*args, **kwargs):
        warnings.warn("First line,\n  second line.", UserWarning, stacklevel=1)
        # of joblib, where it changes a worker for another: nothing that a user can act on
        warnings.warn("A worker stopped while some jobs were given", UserWarning, stacklevel=1)
        raise package.exceptions.InputError("Nothing is here.")

    monkeypatch.setattr("skmer.datasets.load_dataset", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        outcome = skmer("evaluate", "toy")
    assert outcome.err == "warning: First line, second line.\nerror: Nothing is here.\n"


def test_a_reader_that_leaves_is_no_error(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["weights", "list"]) == 0


def test_a_terminal_that_has_ascii_only(monkeypatch, skmer):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.prepare()
    terminal.show("0.5 \u00b1 0.1")
    stream.flush()
    assert stream.buffer.getvalue() == b"0.5 +- 0.1\n"


def test_names_do_not_steer_the_terminal(skmer):
    outcome = skmer("cache", "size", "\x1b[31mred\x07")
    assert "\x1b" not in outcome.err
    assert "\\x1b[31mred\\x07" in outcome.err


def test_one_feature_by_default():
    defaults = {
        inspect.signature(run).parameters["features"].default for run in (app.extract, app.train)
    }
    assert defaults == {"musicnn"}


@pytest.mark.filterwarnings("default:Odd")
def test_messages_and_warnings_are_logged(skmer, monkeypatch, caplog):
    def run(*args, **options):
        warnings.warn("Odd.", stacklevel=1)
        terminal.note("Done.")

    monkeypatch.setattr(app, "app", run)
    monkeypatch.setattr(app, "_find_options", lambda words: {})
    assert skmer("evaluate", "toy").err == "warning: Odd.\nDone.\n"
    logged = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert logged == [("skmer", "WARNING", "warning: Odd."), ("skmer", "INFO", "Done.")]
    assert skmer("evaluate", "toy", "--quiet").err == "warning: Odd.\n"
    assert not logging.getLogger("skmer").handlers


@pytest.mark.parametrize("command", ["evaluate", "train", "reproduce"])
def test_all_cores_by_default(skmer, command):
    command = get_command(app.app).commands[command]
    assert {one.name: one.default for one in command.params}["jobs"] == -1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_end_a_command_with_jobs(tmp_path, clips, name):
    for i in range(200):
        (clips / f"copy {i}.wav").write_bytes((clips / "00.wav").read_bytes() + bytes(i))
    words = ["extract", str(clips), "--features", "l3", "--weights", "random", "--jobs", "2"]
    number = getattr(signal, name)
    process = subprocess.Popen(
        [*SKMER, *words, "--out", str(tmp_path / "t.npz")],
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests may ignore it, as nohup does, and a process inherits that.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    # Until the first clip is kept, so that the jobs are at work.
    while not list(tmp_path.rglob("*.clip")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "Traceback" not in err


IDLE_WORKERS = """
import os, signal, sys, time
import numpy as np
from joblib import Parallel, delayed
from skmer.cli import app, main

def run(*args, **options):
    # Arrays of this size are handed over in a folder, which the signal leaves to joblib's tracker.
    Parallel(n_jobs=2)(delayed(np.sum)(np.ones(200_000)) for _ in range(8))
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

app.run = run
sys.argv = ["skmer"]
sys.exit(main())
"""


def test_a_signal_ends_workers_that_have_nothing_to_do():
    command = [sys.executable, "-c", IDLE_WORKERS]
    # Its standard error ends when nobody holds it any more, workers included.
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGTERM, "")


def test_the_command_imports_public_names_alone():
    folder = Path(package.__file__).parent / "cli"
    found = [
        f"{path.name}: {line.strip()}"
        for path in folder.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"from skmer\.(?!cli\b)(\S*\._|.* import .*\b_[a-z])", line)
    ]
    assert found == []

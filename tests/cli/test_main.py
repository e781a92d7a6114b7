"""What holds of every command: status, one sentence, little to import."""

import subprocess
import sys
import warnings

import pytest

import skmer as package


def test_version(skmer):
    outcome = skmer("--version")
    assert outcome.status == 0
    assert outcome.out == f"skmer {package.__version__}\n"


@pytest.mark.parametrize(
    "command", ["evaluate", "extract", "weights", "datasets", "cache", "weights verify"]
)
def test_help_of_every_command(skmer, command):
    assert command.split()[0] in skmer("--help").out
    outcome = skmer(*command.split(), "--help")
    assert outcome.status == 0
    assert outcome.out.startswith(f"Usage: skmer {command} ")


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
        ([], "Missing command"),
        (["score"], "No such command 'score'"),
        (["evaluate"], "Missing argument 'DATASET'"),
        (["evaluate", "toy", "--feature", "mfcc"], "No such option: --feature"),
        (["evaluate", "toy", "--repeats", "some"], "--repeats"),
        (["extract", "a.wav"], "Missing option '--out'"),
    ],
)
def test_wrong_words_on_the_command_line(one_sentence, words, said):
    message = one_sentence(*words)
    assert said in message
    assert message.endswith("See 'skmer --help'.")


def test_the_installed_command_exits_with_the_status():
    words = [sys.executable, "-c", "import sys; from skmer.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*words, "evaluate", "toy", "--features", "sound"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: --features must be one or several of l3, vggish, mfcc, separated by commas. "
        "Got 'sound'.\n"
    )


def test_an_interrupt_is_quiet(skmer, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("skmer.datasets.load_dataset", interrupt)
    outcome = skmer("evaluate", "toy")
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")


def test_a_mistake_of_ours_is_no_mistake_of_the_user(skmer, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyError("a bug")

    monkeypatch.setattr("skmer.datasets.load_dataset", fail)
    with pytest.raises(KeyError, match="a bug"):
        skmer("evaluate", "toy")


def test_a_warning_is_one_line(skmer, monkeypatch):
    def warn(*args, **kwargs):
        warnings.warn("First line,\n  second line.", UserWarning, stacklevel=1)
        raise FileNotFoundError("Nothing is here.")

    monkeypatch.setattr("skmer.datasets.load_dataset", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        outcome = skmer("evaluate", "toy")
    assert outcome.err == "warning: First line, second line.\nerror: Nothing is here.\n"

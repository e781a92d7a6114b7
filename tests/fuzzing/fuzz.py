"""Coverage-guided fuzzing of what reads files: each input gives a result or an error of skmer's.

Needs atheris. ``python tests/fuzzing/fuzz.py audio -max_total_time=600`` makes inputs out of small
files of every kind; what libFuzzer takes may follow the name. What ends in anything else is printed
once for each place in skmer, and kept in ``fuzz-finds``.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["skmer", "skops", "zipfile"]):
    # skmer's rooms are imported when they are first asked for: all of them here.
    from skmer import exceptions
    from tests.fuzzing.targets import TARGETS

OWN = (
    exceptions.InputError,
    exceptions.InputTypeError,
    exceptions.DatasetNotFoundError,
    exceptions.WeightsNotFoundError,
)
LONGEST_SENTENCE = 500
# Seconds, and MB: what no small file may take.
LIMITS = ("-timeout=20", "-rss_limit_mb=3000", "-len_control=0")


def check(target, data: bytes) -> None:
    """Read an input; raise where it ends in anything but a result or a sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in exceptions.__all__:
            if name.endswith("Warning"):
                warnings.simplefilter("ignore", getattr(exceptions, name))
        try:
            target.read(data)
        except OWN as error:
            sentence = str(error)
            assert len(sentence) <= LONGEST_SENTENCE, f"{len(sentence)} characters: {sentence:.900}"
            assert "\n" not in sentence, sentence


def place(error: BaseException) -> str:
    """Kind of an error, and the last line of skmer's that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{frame.filename}:{frame.lineno}" for frame in frames if "/skmer/" in frame.filename]
    return f"{type(error).__name__} {(ours or ['the target'])[-1]}"


def main() -> None:
    """Fuzz the target that the command names."""
    name, *options = sys.argv[1:] or [""]
    if name not in TARGETS:
        sys.exit(f"Name one of {', '.join(TARGETS)}; options of libFuzzer may follow.")
    finds, seen = Path("fuzz-finds").absolute(), set()
    # Always the same folder, since libFuzzer leaves no chance to remove it at the end.
    work = Path("/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir())
    work = work / f"skmer-fuzz-{name}"
    shutil.rmtree(work, ignore_errors=True)
    corpus = work / "corpus"
    corpus.mkdir(parents=True)
    # Programs that read what libsndfile does not are not what is tried here.
    os.environ["PATH"] = ""
    target = TARGETS[name](work)
    for seed in target.seeds():
        corpus.joinpath(hashlib.sha1(seed).hexdigest()).write_bytes(seed)

    def one_input(data):
        try:
            check(target, data)
        except Exception as error:
            if place(error) not in seen:
                seen.add(place(error))
                finds.mkdir(exist_ok=True)
                kept = finds / f"{name}-{hashlib.sha1(data).hexdigest()[:12]}"
                kept.write_bytes(data)
                traceback.print_exc()
                sys.stderr.write(f"FOUND {place(error)}: {kept}\n")

    atheris.Setup([sys.argv[0], *LIMITS, *options, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

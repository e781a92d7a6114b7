"""A package from the index by the package client of this environment, with the user's settings."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from skmer.utils._words import cut_middle
from skmer.utils.files._download import DownloadError, without_password

# Seconds. The clients have limits of their own; this one ends what hangs all the same.
CLIENT_TIMEOUT = 900.0
_SPACE = ("No space left on device", "Disk quota exceeded")


def fetch_package(requirement: str, sha256: str, folder: Path) -> None:
    """Have the package client put a wheel, or the files in it, into `folder`.

    pip downloads the wheel. uv cannot; it checks the wheel's SHA-256 and unpacks it. Neither runs
    anything of the package. Raises DownloadError when there is no client or it fails.
    """
    command = _command(requirement, sha256, folder)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLIENT_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"the package client did not end in {CLIENT_TIMEOUT:.0f} s") from error
    except OSError as error:
        raise DownloadError(f"the package client cannot be started ({error.strerror})") from error
    if done.returncode:
        raise DownloadError(_reason(done.stdout + "\n" + done.stderr, folder))


def _command(requirement: str, sha256: str, folder: Path) -> list[str]:
    """What to run: this environment's pip, else uv."""
    if importlib.util.find_spec("pip") is not None:
        # -P: a file called pip.py in the working folder is not run
        return [
            sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
            "--no-input", "--disable-pip-version-check", "--progress-bar=off",
            "-d", str(folder), requirement,
        ]  # fmt: skip
    if (uv := shutil.which("uv")) is not None:
        pinned = folder / "requirements.txt"
        pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
        return [
            uv, "pip", "install", "--python", sys.executable, "--no-deps", "--only-binary=:all:",
            "--require-hashes", "--target", str(folder), "--requirements", str(pinned),
        ]  # fmt: skip
    raise DownloadError("this environment has neither pip nor uv")


def _reason(output: str, folder: Path) -> str:
    """The client's own reason in one line, without passwords."""
    if any(phrase in output for phrase in _SPACE):
        return f"no space is left in {folder.parent} or in the temporary folder"
    # plain characters only: uv draws boxes, and terminals obey others
    lines = [re.sub(r"[^ -~]", "", line).strip() for line in output.splitlines()]
    errors = [n for n, line in enumerate(lines) if line.lower().startswith("error")]
    said = lines[errors[-1] :][:2] if errors else [line for line in lines if line][-3:]
    reason = re.sub(r"(?i)\b(error|cause): ", "", " - ".join(filter(None, said)))
    return f"the package client failed: {cut_middle(without_password(reason)) or 'no reason given'}"

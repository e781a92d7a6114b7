"""One published file, over HTTP or by the package client: bounded in size, verified, then moved.

pooch transfers it. An interrupted transfer begins again: there is never a partial file that could
be taken for a whole one.
"""

import importlib.util
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from skmer.utils import digest, files, progress

# Seconds.
CONNECT_TIMEOUT = 4.0
STALL_TIMEOUT = 20.0
PAUSES = (0.5, 2.0)
LOCK_TIMEOUT = 1800.0
LOCK_NOTICE_TIME = 5.0

_BLOCK = 2**16
_PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_logger = logging.getLogger("skmer")


class DownloadError(Exception):
    """A file cannot be downloaded; the message is the reason, within a sentence."""


class NotPublishedError(Exception):
    """A downloaded file is not the published one; the message states the difference."""


class _PassingError(DownloadError):
    """A failure that may be gone at the next attempt."""


def download(url: str, target: Path, *, checksums, largest: int, any_http=False) -> None:
    """Download a file and verify it before it takes its place.

    Parameters
    ----------
    url : str
        It begins with https://, or with http:// where the server is this machine.
    target : Path
        In a folder that exists.
    checksums : mapping
        The published checksums by kind, as `file_digest` names them; may be empty.
    largest : int
        The published size, or a bound that the file certainly does not exceed [bytes].
    any_http : bool, default=False
        Whether http:// is allowed, because the user named the address.

    Raises
    ------
    DownloadError
        When the server does not send it, or sends more than `largest` bytes.
    NotPublishedError
        When its checksum is another one; it is not kept.
    OSError
        When it cannot be written.
    """
    with files.atomic_write(target) as temporary:
        for pause in (*PAUSES, None):
            try:
                _transfer(url, temporary, target.name, largest, any_http)
                break
            except _PassingError as error:
                if pause is None:
                    raise
                _logger.info("%s; the next attempt begins in %.1f s.", error, pause)
                time.sleep(pause)
        if (mismatch := find_mismatch(temporary, checksums)) is not None:
            raise NotPublishedError(f"{mismatch}; it was not kept")


def find_mismatch(path: Path, checksums) -> str | None:
    """Return which checksum differs, as words within a sentence, or None where all match."""
    for kind, expected in checksums.items():
        got = digest.file_digest(path, kind)
        if got != expected:
            size = path.stat().st_size
            return f"its {kind} checksum must be {expected}, and is {got} ({size} bytes)"
    return None


def put_aside(path: Path) -> str:
    """Rename a file with a wrong checksum; return what became of it, as words within a sentence."""
    rejected = path.with_name(f"{path.name}.rejected")
    try:
        os.replace(path, rejected)
    except OSError:
        return "it cannot be moved aside, and was not loaded"
    return f"it was kept as {rejected} and not loaded"


@contextmanager
def one_at_a_time(target: Path):
    """Let one process download `target`, while the others wait, with a message and a limit."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=LOCK_NOTICE_TIME)
    except Timeout:
        _logger.warning("Waiting for another process that downloads %s.", target)
        try:
            lock.acquire(timeout=LOCK_TIMEOUT)
        except Timeout:
            raise DownloadError(
                f"another process has been downloading it for {LOCK_TIMEOUT / 60:.0f} minutes and "
                f"holds {lock.lock_file}; end that process"
            ) from None
    try:
        yield
    finally:
        lock.release()


def without_password(text: str) -> str:
    """Return `text` without the user names and passwords of the addresses in it."""
    return re.sub(r"//[^/\s]*@", "//", text)


def _transfer(url: str, path: Path, name: str, largest: int, any_http: bool) -> None:
    """Attempt it once, and convert each failure to an error of this module."""
    import pooch
    import requests

    shown, host, responses = without_password(url), None, []
    bar = progress.make_bar(is_download=True)
    task = bar.add_task(name, total=None)

    def check(response, **_):
        responses.append(response)
        location = urljoin(response.url, response.headers.get("location", ""))
        if response.is_redirect and urlsplit(location).scheme != scheme:
            raise DownloadError(
                f"{host} redirects to {without_password(location)}, which does not begin with "
                f"{scheme}://"
            )
        bar.update(task, total=int(response.headers.get("content-length", 0)) or None)

    fetch = pooch.HTTPDownloader(
        chunk_size=_BLOCK,
        timeout=(CONNECT_TIMEOUT, STALL_TIMEOUT),
        headers={"Accept-Encoding": "identity"},
        hooks={"response": check},
    )
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
        if scheme == "http" and not any_http and host not in _LOOPBACK:
            raise DownloadError(f"{shown} does not begin with https://")

        class Bounded(io.BufferedWriter):
            def write(self, block):
                if self.tell() + len(block) > largest:
                    raise DownloadError(
                        f"{host} sends more than the {largest} bytes that the file may have"
                    )
                bar.advance(task, len(block))
                return super().write(block)

        with Bounded(io.FileIO(path, "w")) as stream, bar:
            fetch(url, stream, None)
    except requests.HTTPError as error:
        status = responses[-1].status_code
        kind = _PassingError if status in _PASSING_STATUS else DownloadError
        raise kind(f"{host} answered {status} for {shown}") from error
    except ValueError as error:
        # An address that cannot be one, of requests or of Python.
        raise DownloadError(f"{shown} cannot be read ({without_password(str(error))})") from error
    except requests.RequestException as error:
        if responses:
            raise _PassingError(f"the connection to {host} broke or stalled") from error
        raise DownloadError(
            f"{host} cannot be reached ({type(error).__name__}); check the network"
        ) from error
    finally:
        for response in responses:
            response.close()


# Seconds. The clients have limits of their own; this one ends what hangs all the same.
CLIENT_TIMEOUT = 900.0


def fetch_package(requirement: str, sha256: str, folder: Path) -> None:
    """Have the package client check the SHA-256 of a wheel, and unpack it into `folder`.

    It is this environment's pip, else uv; neither runs anything of the package. Raises
    DownloadError when there is no client or it fails.
    """
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    if importlib.util.find_spec("pip") is not None:
        # -P: a file called pip.py in the working folder is not run.
        client = [sys.executable, "-P", "-m", "pip", "install"]
    elif (uv := shutil.which("uv")) is not None:
        client = [uv, "pip", "install", "--python", sys.executable]
    else:
        raise DownloadError("this environment has neither pip nor uv")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes"]
    try:
        done = subprocess.run(
            [*client, *options, "--target", str(folder), "-r", str(pinned)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLIENT_TIMEOUT,
            # pip cannot install for a user and into a folder.
            env=os.environ | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"the package client did not end in {CLIENT_TIMEOUT:.0f} s") from error
    except OSError as error:
        raise DownloadError(f"the package client cannot be started ({error.strerror})") from error
    if done.returncode:
        raise DownloadError(client_error(done.stdout + "\n" + done.stderr))


def client_error(output: str) -> str:
    """Return the client's own reason in one line, without passwords."""
    # Plain characters only: uv draws boxes, and terminals obey others.
    lines = [re.sub(r"[^ -~]", "", line).strip() for line in output.splitlines()]
    errors = [n for n, line in enumerate(lines) if line.lower().startswith("error")]
    chosen = lines[errors[-1] :][:2] if errors else [line for line in lines if line][-3:]
    reason = re.sub(r"(?i)\b(error|cause): ", "", " - ".join(filter(None, chosen)))
    return f"the package client failed: {without_password(reason) or 'no reason given'}"

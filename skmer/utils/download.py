"""One published file over HTTP: resumed after a break, bounded, verified, then put in its place.

pooch does the transfer. Nothing is seen at the file's place before it is whole and right.
"""

import errno
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from skmer.utils.digest import file_digest
from skmer.utils.messages import cut_middle
from skmer.utils.progress import ProgressBar

# Seconds. The first bounds how long a machine without a network is kept waiting.
REACH_TIMEOUT = 4.0
CONNECT_TIMEOUT = 4.0
STALL_TIMEOUT = 20.0
PAUSES = (0.5, 1.0, 2.0)
# Less than a block in this time is given up, as a server that sends a byte now and then never ends.
SLOW_TIME = 40.0
LOCK_TIMEOUT = 1800.0
LOCK_WORD_TIME = 5.0

_BLOCK = 2**16
_MOST_TRIES = 50
_PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
_RANGE_REFUSED = 416
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_logger = logging.getLogger("skmer")


class DownloadError(Exception):
    """Why a file cannot be downloaded, in words."""


class NotPublishedError(Exception):
    """In what a downloaded file is not the published one, and what became of it, in words."""


class _PassingError(Exception):
    """A failure that may be gone at the next try."""


def download(
    url: str,
    target: Path,
    *,
    checksums: Mapping[str, str],
    largest: int,
    any_http: bool = False,
) -> None:
    """Put the file at `url` to `target`.

    Parameters
    ----------
    url : str
        It begins with https://, or with http:// where that ends on this machine.
    target : Path
        In a folder that exists. What was got before a break waits beside it as ``<name>.part``.
    checksums : mapping
        What is published of the file, as `file_digest` names the kinds; may be empty.
    largest : int
        The published size, or what the file certainly is not larger than [bytes].
    any_http : bool, default=False
        Whether the user named the address, who may trust http:// where we do not.

    Raises
    ------
    DownloadError
        It cannot be had.
    NotPublishedError
        Another file was had; it was put aside.
    OSError
        It cannot be written.
    """
    _reach(url, any_http)
    part = target.with_name(target.name + ".part")
    if not checksums:
        # nothing would tell that two versions have met in it
        part.unlink(missing_ok=True)
    try:
        mismatch = _fill(url, part, checksums, largest)
    except BaseException:
        # only what can be verified later is worth keeping
        if not (checksums and _size(part)):
            part.unlink(missing_ok=True)
        raise
    if mismatch is not None:
        raise NotPublishedError(f"{mismatch}; {put_aside(part)}")
    os.replace(part, target)


def _fill(url: str, part: Path, checksums: Mapping[str, str], largest: int) -> str | None:
    """Bring `part` to its end; returns what does not match then, in words."""
    mismatch = find_mismatch(part, checksums)
    if mismatch is not None or not part.exists():
        resumed = _transfer(url, part, largest)
        mismatch = find_mismatch(part, checksums)
        if resumed and mismatch is not None:
            part.unlink()
            _transfer(url, part, largest)
            mismatch = find_mismatch(part, checksums)
    return mismatch


def find_mismatch(path: Path, checksums: Mapping[str, str]) -> str | None:
    """What does not match, in words, or None where every checksum does."""
    for kind, expected in checksums.items():
        if not path.exists():
            return "it is missing"
        got = file_digest(path, kind)
        if got != expected:
            size = path.stat().st_size
            return f"its {kind} checksum must be {expected}, and is {got} ({size} bytes)"
    return None


def put_aside(path: Path) -> str:
    """Rename a file that is not what it should be; says what became of it."""
    rejected = path.with_name(path.name.removesuffix(".part") + ".rejected")
    try:
        os.replace(path, rejected)
    except OSError:
        return "it cannot be moved aside, and was not loaded"
    return f"it was kept as {rejected} and not loaded"


@contextmanager
def one_at_a_time(target: Path) -> Iterator[None]:
    """One process fetches `target`; the others wait for it, say so, and not for ever."""
    from filelock import FileLock, Timeout

    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        try:
            lock.acquire(timeout=LOCK_WORD_TIME)
        except Timeout:
            _logger.warning("Waiting for another process that fetches %s.", target)
            lock.acquire(timeout=LOCK_TIMEOUT)
    except Timeout:
        raise DownloadError(
            f"another process has been fetching it for {LOCK_TIMEOUT / 60:.0f} minutes and holds "
            f"{lock.lock_file}; end that process"
        ) from None
    except NotImplementedError:
        raise DownloadError(f"no file can be locked in {target.parent}") from None
    try:
        yield
    finally:
        lock.release()


def without_password(text: str) -> str:
    """`text` without the names and passwords of the addresses in it."""
    return re.sub(r"//[^/\s]*@", "//", text)


def _transfer(url: str, part: Path, largest: int) -> bool:
    """Fill `part`, going on where an earlier try stopped; returns whether more than one did."""
    resumed = False
    failures = 0
    for _ in range(_MOST_TRIES):
        before = _size(part)
        try:
            return _stream(url, part, largest) or resumed
        except _PassingError as error:
            resumed = True
            reason = str(error)
            # a try that got further does not count against the next ones
            failures = failures + 1 if _size(part) <= before else 1
            if failures > len(PAUSES):
                break
            pause = PAUSES[failures - 1]
            _logger.info("%s; trying again in %.1f s", error, pause)
            time.sleep(pause)
    raise DownloadError(reason)


class _Response:
    """What the server said, looked at before anything of it is written; and the file behind it."""

    def __init__(self, url: str, stream, largest: int):
        self._split = urlsplit(url)
        self._stream = stream
        self._largest = largest
        self.host = self._split.hostname
        self.status = 0
        self.opened = ExitStack()

    def look_at(self, response, **_) -> None:
        """Refuse what is too large or elsewhere; called for every redirection too."""
        import requests

        self.opened.callback(response.close)
        self.status = response.status_code
        if response.is_redirect:
            location = urljoin(response.url, response.headers["location"])
            if urlsplit(location).scheme != self._split.scheme:
                raise DownloadError(
                    f"{self.host} sends on to {cut_middle(without_password(location), 100)}, "
                    f"which does not begin with {self._split.scheme}://"
                )
            return
        if self.status == requests.codes.ok:
            # a server that does not know ranges sends the whole file
            self.restart()
        announced = response.headers.get("content-length", "")
        if not (announced.isascii() and announced.isdigit()):
            # pooch takes it for a number
            response.headers.pop("content-length", None)
        elif response.ok:
            self._bound(int(announced))

    def write(self, block: bytes) -> None:
        """Write a block, if the file may be that large."""
        self._bound(len(block))
        self._stream.write(block)

    def flush(self) -> None:
        """As pooch asks for after every block."""
        self._stream.flush()

    def restart(self) -> None:
        """Throw away what was got so far."""
        self._stream.truncate(0)

    def _bound(self, n_more: int) -> None:
        if self._stream.seek(0, os.SEEK_END) + n_more > self._largest:
            self.restart()
            raise DownloadError(
                f"{self.host} sends more than the {self._largest} bytes that the file may have"
            )


def _stream(url: str, part: Path, largest: int) -> bool:
    """One try; returns whether it went on from what `part` held already.

    The transfer is in a thread of its own: whatever a server does, it is left alone when too
    little comes. Such a thread ends at its next block, which it cannot write.
    """
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            with response.opened:
                _ask(url, response, held, bar)
            outcome.append(None)
        except BaseException as error:
            outcome.append(error)

    bar = ProgressBar(part.stem, unit="bytes", enabled=sys.stderr.isatty())
    with part.open("ab") as stream, bar:
        held = stream.tell()
        response = _Response(url, stream, largest)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        while not outcome:
            before = _size(part)
            thread.join(SLOW_TIME)
            if thread.is_alive() and _size(part) - before < _BLOCK:
                raise _PassingError(f"{response.host} sends next to nothing")
    if outcome[0] is not None:
        raise outcome[0]
    import requests

    return response.status == requests.codes.partial


def _ask(url: str, response: _Response, held: int, bar: ProgressBar) -> None:
    """Let pooch fetch `url` into `response`, and tell what may be tried again from what may not."""
    import pooch
    import requests

    host = response.host
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={held}-"} if held else {})
    fetch = pooch.HTTPDownloader(
        progressbar=bar,
        chunk_size=_BLOCK,
        timeout=(CONNECT_TIMEOUT, STALL_TIMEOUT),
        headers=headers,
        hooks={"response": response.look_at},
    )
    try:
        fetch(url, response, None)
    except requests.HTTPError as error:
        if response.status == _RANGE_REFUSED and held:
            response.restart()
        elif response.status not in _PASSING_STATUS:
            raise DownloadError(
                f"{host} answered {response.status} for {without_password(url)}"
            ) from error
        raise _PassingError(f"{host} answered {response.status}") from error
    except requests.exceptions.SSLError as error:
        raise DownloadError(f"the certificate of {host} is refused") from error
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    ) as error:
        raise _PassingError(f"the connection to {host} broke or stalled") from error
    except requests.RequestException as error:
        reason = cut_middle(without_password(str(error)), 100)
        raise DownloadError(f"{without_password(url)} cannot be asked for ({reason})") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            # what was got so far would keep the disk full
            response.restart()
        raise


def _size(path: Path) -> int:
    """Bytes in a file that may not be there."""
    return path.stat().st_size if path.exists() else 0


def _checked(url: str, any_http: bool) -> SplitResult:
    """The parts of an address that may be asked."""
    shown = cut_middle(without_password(url), 100)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise DownloadError(f"{shown} is not an address that begins with http:// or https://")
    if parts.scheme == "http" and not any_http and parts.hostname not in _LOOPBACK:
        raise DownloadError(f"{shown} does not begin with https://")
    return parts


def _reach(url: str, any_http: bool) -> None:
    """Raise DownloadError, soon, where nothing answers at the host of `url` or its proxy.

    In a thread of its own because a resolver without a network may hang for longer than any
    timeout that requests takes.
    """
    import requests

    parts = _checked(url, any_http)
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if proxy:
        parts = _checked(proxy if "://" in proxy else f"http://{proxy}", any_http=True)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    outcome: list[Exception | None] = []
    deadline = time.monotonic() + REACH_TIMEOUT

    def knock() -> None:
        for pause in (*PAUSES[:2], None):
            try:
                socket.create_connection((parts.hostname, port), timeout=CONNECT_TIMEOUT).close()
            except (OSError, UnicodeError) as error:
                if pause is not None and time.monotonic() + pause < deadline:
                    time.sleep(pause)
                    continue
                outcome.append(error)
            else:
                outcome.append(None)
            return

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(REACH_TIMEOUT)
    failure = outcome[0] if outcome else TimeoutError("no answer")
    if failure is not None:
        raise DownloadError(f"{parts.hostname} cannot be reached ({failure})") from failure

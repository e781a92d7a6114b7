"""One file over HTTP into a partial file: resumed after a break, retried with growing pauses."""

import errno
import logging
import socket
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from skmer.utils._progress import ProgressBar

# Seconds. The first bounds how long a machine without a network is kept waiting.
REACH_TIMEOUT = 4.0
CONNECT_TIMEOUT = 4.0
STALL_TIMEOUT = 20.0
PAUSES = (0.5, 1.0, 2.0)

_BLOCK = 2**17
_PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
_RANGE_REFUSED = 416
_logger = logging.getLogger("skmer")


class UnreachableError(Exception):
    """Why a file cannot be downloaded, in words."""


def download(url: str, part: Path) -> bool:
    """Fill `part` with what is at `url`, going on where an earlier try stopped.

    Returns whether the file is made of more than one try. Raises UnreachableError when it cannot
    be had, OSError when it cannot be written.
    """
    _reach(url)
    resumed = False
    failures = 0
    while True:
        before = _size(part)
        try:
            return _stream(url, part) or resumed
        except _PassingError as error:
            resumed = True
            # a try that got further does not count against the next ones
            failures = failures + 1 if _size(part) <= before else 1
            if failures > len(PAUSES):
                raise UnreachableError(str(error)) from error
            pause = PAUSES[failures - 1]
            _logger.info("%s; trying again in %.1f s", error, pause)
            time.sleep(pause)


class _PassingError(Exception):
    """A failure that may be gone at the next try."""


def _stream(url: str, part: Path) -> bool:
    """One try; returns whether it went on from what `part` held already."""
    import pooch
    import requests

    host = urlsplit(url).netloc
    held = _size(part)
    status = 0
    headers = {"Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"

    progress = ProgressBar(part.stem, unit="bytes", enabled=sys.stderr.isatty())
    with part.open("ab") as stream, progress, ExitStack() as responses:

        def look_at(response, **_):
            nonlocal status
            responses.callback(response.close)
            status = response.status_code
            if status == requests.codes.ok:
                # a server that does not know ranges sends the whole file
                stream.truncate(0)

        fetch = pooch.HTTPDownloader(
            progressbar=progress,
            chunk_size=_BLOCK,
            timeout=(CONNECT_TIMEOUT, STALL_TIMEOUT),
            headers=headers,
            hooks={"response": look_at},
        )
        try:
            fetch(url, stream, None)
        except requests.HTTPError as error:
            if status == _RANGE_REFUSED and held:
                stream.truncate(0)
            elif status not in _PASSING_STATUS:
                raise UnreachableError(f"{host} answered {status} for {url}") from error
            raise _PassingError(f"{host} answered {status}") from error
        except requests.exceptions.SSLError as error:
            raise UnreachableError(f"the certificate of {host} is refused") from error
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            raise _PassingError(f"the connection to {host} broke or stalled") from error
        except requests.RequestException as error:
            raise UnreachableError(f"{url} cannot be asked for ({error})") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                # what was got so far would keep the disk full
                stream.truncate(0)
            raise
    return status == requests.codes.partial


def _size(path: Path) -> int:
    """Bytes in a file that may not be there."""
    return path.stat().st_size if path.exists() else 0


def _reach(url: str) -> None:
    """Raise UnreachableError, soon, where nothing answers at the host of `url` or its proxy.

    In a thread of its own because a resolver without a network may hang for longer than any
    timeout that requests takes.
    """
    import requests

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnreachableError(f"{url} is not an address that begins with http:// or https://")
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UnreachableError(f"{parts.netloc} has no usable port ({error})") from error
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
        raise UnreachableError(f"{parts.hostname} cannot be reached ({failure})") from failure

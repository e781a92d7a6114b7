"""A file server on loopback that misbehaves on request."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from skmer.utils import download as _download


class Server:
    """Serves `content` at any path; `plan` says how, one word per request, the last one for ever.

    Words: good, no-range, corrupt, break (the whole length announced, half sent), short (half sent,
    no length announced), anew (as break, always from the start),
    stall, drip (a byte now and then), endless, no-number (as the length),
    redirect, elsewhere (a redirect to another scheme), or a status code.
    """

    def __init__(self):
        self.content = np.random.default_rng(0).bytes(300_000)
        self.plan = ["good"]
        self.requests: list[tuple[str, str | None]] = []
        self.release = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *args):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self):
        self.release.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One response, as the plan says."""
        asked = handler.headers.get("Range")
        self.requests.append((handler.path, asked))
        word = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if word.isdigit():
            handler.send_error(int(word))
            return
        if word in ("redirect", "elsewhere"):
            handler.send_response(302)
            start = "/elsewhere" if word == "redirect" else "https://user:secret@127.0.0.1"
            handler.send_header("Location", start + handler.path)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.content
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if word in ("no-range", "anew"):
            start = 0
        if start >= len(body):
            handler.send_error(416)
            return
        body = body[start:]
        if word == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        handler.send_response(206 if start else 200)
        if word == "no-number":
            handler.send_header("Content-Length", "many")
        elif word not in ("short", "endless"):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if word in ("drip", "endless"):
            self.send_for_ever(handler, word)
            return
        whole = word in ("good", "no-range", "corrupt", "no-number")
        handler.wfile.write(body if whole else body[: len(body) // 2])
        if word == "stall":
            handler.wfile.flush()
            self.release.wait(30)

    def send_for_ever(self, handler: BaseHTTPRequestHandler, word: str) -> None:
        """Send until the test ends or nobody listens."""
        with suppress(OSError):
            while not self.release.wait(0.01 if word == "drip" else 0):
                handler.wfile.write(bytes(1 if word == "drip" else 100_000))
                handler.wfile.flush()


@pytest.fixture(name="server")
def run_server() -> Iterator[Server]:
    """A server on loopback, stopped at the end of the test."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(name="hasty")
def make_hasty(monkeypatch):
    """Pauses, time limits and blocks small enough for tests."""
    monkeypatch.setattr(_download, "_BLOCK", 1000)
    monkeypatch.setattr(_download, "PAUSES", (0.01, 0.02, 0.03))
    monkeypatch.setattr(_download, "STALL_TIMEOUT", 0.3)
    monkeypatch.setattr(_download, "SLOW_TIME", 0.5)

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

    Words: good, corrupt, break (the whole length announced, half sent), short (half sent, no
    length announced), stall, endless, redirect, elsewhere (a redirect to another scheme), or a
    status code.
    """

    def __init__(self):
        self.content = np.random.default_rng(0).bytes(300_000)
        self.plan = ["good"]
        self.requests: list[str] = []
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
        self.requests.append(handler.path)
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
        if word == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        handler.send_response(200)
        if word not in ("short", "endless"):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if word == "endless":
            # Until the test ends or nobody listens.
            with suppress(OSError):
                while not self.release.is_set():
                    handler.wfile.write(bytes(100_000))
            return
        handler.wfile.write(body if word in ("good", "corrupt") else body[: len(body) // 2])
        if word == "stall":
            handler.wfile.flush()
            self.release.wait(30)


@pytest.fixture(name="server")
def run_server() -> Iterator[Server]:
    """A server on loopback, stopped at the end of the test."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(name="hasty")
def make_hasty(monkeypatch):
    """Pauses and time limits short enough for tests."""
    monkeypatch.setattr(_download, "PAUSES", (0.01, 0.02))
    monkeypatch.setattr(_download, "STALL_TIMEOUT", 0.3)

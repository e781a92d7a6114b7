"""The network guard guards."""

import socket
import urllib.request

import pytest


def test_network_is_blocked():
    with pytest.raises(OSError, match="no network"):
        urllib.request.urlopen("http://example.org", timeout=2)
    with socket.socket() as outside, pytest.raises(OSError, match="no network"):
        outside.connect(("192.0.2.1", 80))


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=2).close()

"""`netral ops` says in the terminal what the page says, also when the page is away or hangs."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.cli.conftest import Netral
from tests.ports import free_port

PAGE = {"alert": "DoorErrors", "page": True, "id": "gagal", "en": "3 of 4 requests to /v1/reports failed"}
TICKET = {"alert": "MatchesWaiting", "page": False, "id": "menunggu", "en": "pairs wait"}


@contextmanager
def a_page(wrong: list[dict[str, Any]]) -> Iterator[int]:
    """The port of a page with these verdicts."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"wrong": wrong}).encode())

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def asked(netral: Netral, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[int, str]]:
    """`netral ops` about the page at a port: its exit code, and what it said."""

    def ask(port: int) -> tuple[int, str]:
        monkeypatch.setenv("NETRAL_OPS_PORT", str(port))
        ran = netral("ops")
        return ran.code, ran.out + ran.err

    return ask


def test_what_is_wrong_leads_to_its_runbook_and_only_what_cannot_wait_fails(asked: Any) -> None:
    with a_page([PAGE, TICKET]) as port:
        code, said = asked(port)
    assert code == 1
    assert "NOW   3 of 4 requests to /v1/reports failed  -> docs/runbooks/DoorErrors.md" in said
    assert "soon  pairs wait  -> docs/runbooks/MatchesWaiting.md" in said
    with a_page([TICKET]) as port:
        assert asked(port)[0] == 0
    with a_page([]) as port:
        assert "Everything is well." in asked(port)[1]


def test_a_page_that_is_away_is_started_and_one_that_hangs_is_restarted(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = asked(free_port())
    assert code == 1
    assert "does not answer (ConnectError); start it with `netral up`" in said
    monkeypatch.setattr("services.cli.ops.PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        code, said = asked(hanging.getsockname()[1])
    assert code == 1
    assert "does not answer (ReadTimeout); it hangs: restart it" in said

"""What only routing can tell is not told to be cured by starting what runs already."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.local.secrets import ensure
from services.cli.checks import law, queues
from services.cli.checks.finding import Finding, Verdict


class Unready(BaseHTTPRequestHandler):
    """Routing while its database is away."""

    def do_GET(self) -> None:
        said = b'{"status": 503, "title": "Not available", "detail": "The case database does not answer."}'
        self.send_response(503)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def unready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system whose routing runs and cannot work."""
    ensure(tmp_path)
    with HTTPServer(("127.0.0.1", 0), Unready) as server:
        monkeypatch.setenv("NETRAL_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("NETRAL_ROUTING_PORT", str(server.server_port))
        Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.usefixtures("unready")
@pytest.mark.parametrize("check", [law.law, law.calendars, queues.matches])
def test_where_routing_answers_that_it_cannot_its_own_line_is_the_cure(check: Callable[[], Finding]) -> None:
    found = check()
    assert found.verdict is Verdict.WARN
    assert "503" in found.says
    assert "its line above says what is wrong" in found.cure

"""`netral doctor` asks the running services, and passes on what a ready one warns of."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.cli.checks.finding import Verdict
from services.cli.checks.services import services
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings
from tests.ports import free_port


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "warnings": ["the directory of offices is empty"]}')

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a service that is ready and has a warning."""
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_ready_service_that_warns_is_a_warning(port: int, tmp_path: Path) -> None:
    away = free_port()
    found = services(
        IntakeSettings(data_dir=tmp_path, intake_port=away),
        RoutingSettings(data_dir=tmp_path, routing_port=away),
        NotificationsSettings(data_dir=tmp_path, notifications_port=port, smtp_port=away),
        OpsSettings(data_dir=tmp_path),
    )
    (mail,) = [finding for finding in found if finding.what == "notifications"]
    assert mail.verdict is Verdict.WARN
    assert mail.says.endswith("is ready, but the directory of offices is empty")


def test_a_service_elsewhere_is_asked_there(port: int, tmp_path: Path) -> None:
    away = free_port()
    found = services(
        IntakeSettings(data_dir=tmp_path, intake_port=away),
        RoutingSettings(data_dir=tmp_path, routing_port=away),
        NotificationsSettings(data_dir=tmp_path, notifications_port=away, smtp_port=away),
        OpsSettings(data_dir=tmp_path, intake_url=f"http://127.0.0.1:{port}/"),
    )
    verdicts = {finding.what: finding.verdict for finding in found}
    assert (verdicts["intake"], verdicts["routing"]) == (Verdict.WARN, Verdict.FAIL)

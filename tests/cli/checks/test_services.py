"""`netral doctor` asks the running services, and passes on what a ready one warns of."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from services.cli.checks.finding import Verdict
from services.cli.checks.services import _smtp, services
from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings
from tests.notifications.smtp_server import Server
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


@pytest.mark.parametrize(
    ("made", "asked", "says"),
    [
        ("wrapped", {"smtp_tls": "implicit"}, "answers"),
        ("plain", {"smtp_tls": "required"}, "STARTTLS extension not supported"),
        ("wrapped", {"smtp_tls": "implicit", "smtp_ca_file": None}, "certificate"),
        ("expired", {"smtp_tls": "implicit"}, "certificate has expired"),
        ("plain", {"smtp_tls": "auto", "smtp_user": "netral", "smtp_password": "sandi"}, "AUTH extension"),
    ],
)
def test_the_mail_server_is_asked_as_a_mail_would_ask(
    tmp_path: Path, made: str, asked: dict[str, Any], says: str
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    until = datetime(2025, 1, 2, tzinfo=UTC) if made == "expired" else None
    authority.issue_cert(
        "127.0.0.1", not_before=until and until - timedelta(1), not_after=until
    ).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    house = Server(free_port(), wrapped=None if made == "plain" else context)
    given = {"smtp_ca_file": tmp_path / "ca.pem", "smtp_timeout": 2, **asked}
    mail = NotificationsSettings(data_dir=tmp_path, smtp_port=house.port, **given)
    with _served(house):
        assert says in _smtp(mail).says


@contextmanager
def _served(house: Server) -> Iterator[None]:
    """The server in a thread, for who asks has a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(house.start(), loop).result(10)
    yield
    asyncio.run_coroutine_threadsafe(house.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()

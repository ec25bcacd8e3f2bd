"""`netral doctor` asks each nats-server whether it is well, since one that stores nothing more answers as before."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from services.cli.checks.finding import Verdict
from services.cli.checks.monitoring import monitoring
from services.ops.settings import OpsSettings
from tests.ports import free_port

ILL = b'{"status": "unavailable", "error": "JetStream stream \'NETRAL > CASES\' write error: too many open files"}'


@contextmanager
def server(status: int, body: bytes) -> Iterator[str]:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Health) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_server_that_refuses_to_store_is_a_failure_with_its_runbook(tmp_path: Path) -> None:
    with server(200, b'{"status": "ok"}') as well, server(503, ILL) as ill:
        found = list(monitoring(OpsSettings(data_dir=tmp_path, monitor_url=f"{well},{ill}")))
    assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.FAIL]
    assert "CASES' write error" in found[1].says
    assert found[1].cure == "see docs/runbooks/BrokerUnwell.md"


def test_whether_a_server_without_monitoring_is_well_is_not_claimed(tmp_path: Path) -> None:
    away = OpsSettings(data_dir=tmp_path, monitor_port=free_port())
    with server(502, b"<html>") as other:
        found = [*monitoring(away), *monitoring(OpsSettings(data_dir=tmp_path, monitor_url=other))]
    assert [finding.verdict for finding in found] == [Verdict.WARN, Verdict.WARN]

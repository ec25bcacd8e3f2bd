"""A small OTLP/HTTP collector that keeps every byte it is sent."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Listens on a free port until the test ends."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.traces: list[bytes] = []
        got, traces = self.got, self.traces

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.append(body)
                if self.path == "/v1/traces":
                    traces.append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[tuple[str, Any]]:
        """Every span with the name of its service."""
        found = []
        for raw in self.traces:
            request = ExportTraceServiceRequest.FromString(raw)
            for resource in request.resource_spans:
                names = {a.key: a.value.string_value for a in resource.resource.attributes}
                found += [
                    (names["service.name"], span) for scope in resource.scope_spans for span in scope.spans
                ]
        return found

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

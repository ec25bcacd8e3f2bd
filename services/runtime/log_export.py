"""Sends the same log lines by OTLP where OTEL_LOGS_EXPORTER=otlp asks for it: the line is the body, its ids the context."""

import logging
import os
from collections.abc import Mapping

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.resources import Resource

from services.runtime.exporting import EXPORT_SECONDS
from services.runtime.logs import JsonLines

_SEVERITIES = {
    "DEBUG": SeverityNumber.DEBUG,
    "INFO": SeverityNumber.INFO,
    "WARNING": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
    "CRITICAL": SeverityNumber.FATAL,
}


class LinesByOtlp(logging.Handler):
    """A handler for the root logger; what it sends is what standard output gets, so nothing more can leak."""

    def __init__(self, service: str, resource: Resource, exporter: LogRecordExporter | None = None) -> None:
        super().__init__()
        self.setFormatter(JsonLines(service))
        self._provider = LoggerProvider(resource)
        target = exporter or OTLPLogExporter(timeout=int(EXPORT_SECONDS))
        self._provider.add_log_record_processor(BatchLogRecordProcessor(target))
        self._logger = self._provider.get_logger("netral")

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line; the trace it belongs to is the one that is running."""
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            severity_number=_SEVERITIES.get(record.levelname, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=self.format(record),
        )

    def close(self) -> None:
        """Send what is queued."""
        self._provider.shutdown()
        super().close()


def wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Only where it is asked for: standard output is the log that always works."""
    return environ.get("OTEL_LOGS_EXPORTER", "").strip() == "otlp"

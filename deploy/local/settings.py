"""What `netral up` needs to know."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from contracts.codes import Agency
from deploy.local.secrets import CannotStart
from services.runtime.settings import Settings

HERE = ("127.0.0.1", "localhost")
HERE_TOO = ("0.0.0.0", "::", *HERE)  # noqa: S104 - asked, not bound
"""What one listens on to be found at 127.0.0.1."""


class UpSettings(Settings):
    """What `netral up` needs; the ports are handed on to the services."""

    intake_port: Annotated[int, Field(ge=1, le=65535, description="Port of the report door")] = 8080
    routing_port: Annotated[int, Field(ge=1, le=65535, description="Port of the agency API")] = 8081
    notifications_port: Annotated[int, Field(ge=1, le=65535, description="Port of notifications' health")] = (
        8082
    )
    smtp_host: Annotated[str, Field(description="SMTP server; on this machine a local inbox is started")] = (
        "127.0.0.1"
    )
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Port of the SMTP server")] = 8025
    broker_host: Annotated[
        str, Field(description="Address the broker listens on; elsewhere than 127.0.0.1 only with TLS")
    ] = "127.0.0.1"
    broker_cert: Annotated[Path | None, Field(description="Certificate of the broker `netral up` starts")] = (
        None
    )
    broker_key: Annotated[Path | None, Field(description="The key of broker_cert")] = None
    broker_sync: Annotated[
        str,
        Field(
            pattern=r"^(always|[1-9][0-9]{0,3}(ms|s|m))$",
            description="When the broker syncs to the disk: before it acknowledges, or every so often (`2m`): "
            "faster, but a loss of power takes what came since",
        ),
    ] = "always"
    inbox_port: Annotated[int, Field(ge=1, le=65535, description="Port of the page of the local inbox")] = (
        8026
    )
    bounce_port: Annotated[int, Field(ge=1, le=65535, description="Port of the LMTP door for bounces")] = 8027
    monitor_port: Annotated[
        int, Field(ge=1, le=65535, description="Port of nats-server's own monitoring")
    ] = 8222

    intake_host: Annotated[str, Field(description="Address the intake door listens on")] = "127.0.0.1"
    routing_host: Annotated[str, Field(description="Address the agencies' door listens on")] = "127.0.0.1"
    notifications_host: Annotated[str, Field(description="Address of the health door of notifications")] = (
        "127.0.0.1"
    )
    ops_host: Annotated[str, Field(description="Address the ops page listens on")] = "127.0.0.1"
    ops_port: Annotated[int, Field(ge=1, le=65535, description="Port of the ops page")] = 8083

    agency: Annotated[
        Agency | None, Field(description="A fake agency `netral up` starts beside the services, for demos")
    ] = None

    @property
    def nats_port(self) -> int:
        """The port of the server of our own. Raises CannotStart if the address is another machine's."""
        url = urlsplit(self.nats_url)
        if url.hostname not in HERE:
            raise CannotStart(
                f"NETRAL_NATS_URL is {self.nats_url}, but `netral up` runs a broker of its own on this machine; "
                "use nats://127.0.0.1:PORT, or start the services one by one against that broker."
            )
        return url.port or 4222

    @property
    def broker_tls(self) -> tuple[Path, Path] | None:
        """Certificate and key of the server of our own. Raises CannotStart if agencies would send in the clear."""
        if self.broker_cert and self.broker_key:
            return self.broker_cert.resolve(), self.broker_key.resolve()
        if self.broker_host not in HERE:
            raise CannotStart(
                f"NETRAL_BROKER_HOST is {self.broker_host}, but the broker has no certificate; "
                "set NETRAL_BROKER_CERT and NETRAL_BROKER_KEY, or listen on 127.0.0.1."
            )
        return None

    @property
    def own_inbox(self) -> bool:
        """Whether mail goes to the local inbox that `netral up` starts."""
        return self.smtp_host in HERE

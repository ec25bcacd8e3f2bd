"""What the ops page needs to know."""

from typing import Annotated

from pydantic import Field

from services.runtime.addresses import HttpAddress, HttpAddresses
from services.runtime.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpsSettings(Settings):
    """Settings of the ops page; every one has a default that works on one machine."""

    ops_host: Annotated[
        str, Field(description="Address the ops page listens on; beyond loopback it asks for the ops-token")
    ] = "127.0.0.1"
    ops_port: Annotated[int, Field(ge=1, le=65535, description="Port of the ops page")] = 8083
    monitor_url: Annotated[
        HttpAddresses | None,
        Field(
            description="nats-server's monitoring, of a cluster all, with commas (default: monitor_port here)"
        ),
    ] = None
    monitor_port: Annotated[
        int, Field(ge=1, le=65535, description="Port of nats-server's own monitoring")
    ] = 8222
    intake_port: Annotated[int, Field(ge=1, le=65535, description="Port of the report door")] = 8080
    routing_port: Annotated[int, Field(ge=1, le=65535, description="Port of the agency API")] = 8081
    notifications_port: Annotated[int, Field(ge=1, le=65535, description="Port of notifications' health")] = (
        8082
    )
    intake_url: Annotated[HttpAddress | None, Field(description="Address of intake, elsewhere")] = None
    routing_url: Annotated[HttpAddress | None, Field(description="Address of routing, elsewhere")] = None
    notifications_url: Annotated[
        HttpAddress | None, Field(description="Address of notifications, elsewhere")
    ] = None
    spans_keep_hours: Annotated[float, Field(gt=0, description="How long traces are kept, in hours")] = 72
    spans_keep_most: Annotated[int, Field(ge=1000, description="How many spans are kept at most")] = 100_000

    @property
    def monitor_addresses(self) -> list[str]:
        """The monitoring of each nats-server, without a slash at the end."""
        given = self.monitor_url or f"http://127.0.0.1:{self.monitor_port}"
        return [address.strip().rstrip("/") for address in given.split(",") if address.strip()]

    @property
    def services(self) -> dict[str, str]:
        """The address of each service, by its short name."""
        given = {
            "intake": (self.intake_url, self.intake_port),
            "routing": (self.routing_url, self.routing_port),
            "notifications": (self.notifications_url, self.notifications_port),
        }
        return {name: (url or f"http://127.0.0.1:{port}").rstrip("/") for name, (url, port) in given.items()}

    @property
    def open_to_all_here(self) -> bool:
        """On loopback whoever uses this machine may look; elsewhere only the holder of the ops-token."""
        return self.ops_host in LOOPBACK

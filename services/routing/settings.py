"""What the routing service needs to know."""

from typing import Annotated

from pydantic import Field

from services.routing.delivery.settings import WebhookSettings
from services.runtime.addresses import HttpAddress, listening_at
from services.runtime.database_address import DatabaseAddress


class RoutingSettings(WebhookSettings):
    """Settings of routing and of the agencies' door; every one has a default that works on one machine."""

    routing_port: Annotated[int, Field(ge=1, le=65535, description="Port of the agencies' door")] = 8081
    intake_url: Annotated[
        HttpAddress | None,
        Field(description="Address of intake's inner door (default: this machine, intake_port)"),
    ] = None
    intake_port: Annotated[int, Field(ge=1, le=65535, description="Port of the intake door")] = 8080
    cases_url: Annotated[
        DatabaseAddress | None,
        Field(
            description="Database of the case views (default SQLite in data_dir; postgresql://… works too)"
        ),
    ] = None
    routing_public_url: Annotated[
        HttpAddress | None,
        Field(
            description="Address by which agencies reach their door (default: where it listens); audience of tokens"
        ),
    ] = None
    agency_requests_per_minute: Annotated[
        int,
        Field(
            ge=1, description="Requests one key of an agency may make in a minute, for each routing worker"
        ),
    ] = 3000

    @property
    def public_address(self) -> str:
        """The address agencies know, without a slash at the end."""
        return (self.routing_public_url or listening_at(self.routing_host, self.routing_port)).rstrip("/")

    sweep_seconds: Annotated[
        float,
        Field(gt=0, description="Seconds between two looks for time limits that the broker's timers missed"),
    ] = 600.0

    @property
    def intake_address(self) -> str:
        """The address of intake, without a slash at the end."""
        return (self.intake_url or f"http://127.0.0.1:{self.intake_port}").rstrip("/")

    @property
    def cases_address(self) -> str:
        """The SQLAlchemy URL of the case views."""
        return self.cases_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'routing.db'}"

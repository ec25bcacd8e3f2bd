"""What push needs to know: its database, and where webhooks may go."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from services.routing.core.targets import Openings, opened_networks
from services.runtime.database_address import DatabaseAddress
from services.runtime.settings import Settings


class WebhookSettings(Settings):
    """Public https addresses only, unless something is opened by name."""

    routing_host: Annotated[str, Field(description="Address the agencies' door listens on")] = "127.0.0.1"
    deliveries_url: Annotated[
        DatabaseAddress | None,
        Field(description="Database of the webhooks' queue (default: deliveries.db in data_dir)"),
    ] = None
    webhook_private_networks: Annotated[
        str, Field(description="Private ranges webhooks may go to, with commas: 10.20.0.0/16")
    ] = ""
    webhook_private_hosts: Annotated[
        str, Field(description="Hosts whose private addresses webhooks may go to, with commas")
    ] = ""
    webhook_ports: Annotated[str, Field(description="Ports webhooks may go to, with commas")] = "443,8443"
    webhook_ca_file: Annotated[
        Path | None,
        Field(description="Certificates of authorities beside the system's, for agencies with their own"),
    ] = None
    webhook_timeout: Annotated[float, Field(gt=0, le=30, description="Seconds one delivery may take")] = 20.0
    webhook_keep_days: Annotated[
        int,
        Field(ge=7, description="Days a delivered webhook keeps its body and its attempts; its line stays"),
    ] = 90
    webhook_unsafe_loopback: Annotated[
        bool, Field(description="UNSAFE, for trials: webhooks may go to this machine, without TLS")
    ] = False

    @field_validator("webhook_private_networks")
    @classmethod
    def _only_private(cls, text: str) -> str:
        opened_networks(text.split(","))
        return text

    @field_validator("webhook_ports")
    @classmethod
    def _ports(cls, text: str) -> str:
        if not all(port.strip().isdecimal() and 0 < int(port) < 65536 for port in text.split(",")):
            raise ValueError("is not a list of ports; write 443,8443")
        return text

    @model_validator(mode="after")
    def _trials_stay_on_this_machine(self) -> Self:
        if self.webhook_unsafe_loopback and not _is_loopback(self.routing_host):
            raise ValueError("webhook_unsafe_loopback is only for a routing_host of this machine (127.0.0.1)")
        return self

    @property
    def deliveries_address(self) -> str:
        """The SQLAlchemy URL of the webhooks' queue."""
        return self.deliveries_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'deliveries.db'}"

    @property
    def webhook_openings(self) -> Openings:
        """Where webhooks may go beside public addresses."""
        hosts = (host.strip().lower() for host in self.webhook_private_hosts.split(","))
        return Openings(
            networks=opened_networks(self.webhook_private_networks.split(",")),
            hosts=frozenset(filter(None, hosts)),
            ports=frozenset(int(port) for port in self.webhook_ports.split(",")),
            loopback=self.webhook_unsafe_loopback,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

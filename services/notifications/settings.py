"""Settings of the notifications service."""

import re
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from services.runtime.addresses import HttpAddress
from services.runtime.database_address import DatabaseAddress
from services.runtime.settings import Settings

_HOURS = re.compile(r"([01]\d|2[0-3])\.([0-5]\d)-([01]\d|2[0-3])\.([0-5]\d)", re.ASCII)
Port = Annotated[int, Field(ge=1, le=65535)]


class NotificationsSettings(Settings):
    """Where mail is handed over, who it comes from, and where its readers are sent."""

    notifications_host: Annotated[str, Field(description="Address of the health door of notifications")] = (
        "127.0.0.1"
    )
    notifications_port: Annotated[Port, Field(description="Port of the health door of notifications")] = 8082
    smtp_host: Annotated[str, Field(description="Address of the SMTP server mail is handed to")] = "127.0.0.1"
    smtp_port: Annotated[Port, Field(description="Port of the SMTP server")] = 8025
    smtp_user: Annotated[str | None, Field(description="Login at the SMTP server, if it wants one")] = None
    smtp_password: Annotated[SecretStr | None, Field(description="Password of that login")] = None
    smtp_tls: Annotated[
        Literal["auto", "required", "implicit", "off"],
        Field(
            validate_default=True,
            description="auto: STARTTLS where offered; required: never without; implicit: TLS from the first byte "
            "(port 465); off: never. Certificates are verified, except with auto on a loopback address",
        ),
    ] = "auto"
    smtp_ca_file: Annotated[
        Path | None, Field(description="PEM file of the authorities to trust at SMTP")
    ] = None
    smtp_timeout: Annotated[
        float, Field(gt=0, le=300, description="Seconds to wait for each SMTP answer")
    ] = 10.0
    mail_from: Annotated[str, Field(description="Sender of all mail")] = "netral@localhost"
    mail_domain: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9.-]+$", description="Right side of every Message-ID; a domain of ours"),
    ] = "netral.invalid"
    reply_to: Annotated[
        str | None, Field(description="Address people may answer to (default: none; answers are not read)")
    ] = None
    bounce_address: Annotated[
        str | None,
        Field(
            description="Address bounces come back to, before its +token (default: bounces@ and mail_domain)"
        ),
    ] = None
    bounce_port: Annotated[
        int, Field(ge=0, le=65535, description="Port of the LMTP door for bounces, loopback only (0: none)")
    ] = 0
    unsubscribe_url: Annotated[
        HttpAddress | None,
        Field(description="Public address of this door for unsubscribing (default: this machine)"),
    ] = None
    mail_rate: Annotated[
        float, Field(ge=0, description="Mails a second to one domain at most (0: any number)")
    ] = 50.0
    mail_at_once: Annotated[int, Field(ge=1, le=50, description="Mails to one domain at the same time")] = 4
    mail_burst: Annotated[
        int,
        Field(ge=0, description="Mails to one office within 10 minutes; more become one digest (0: never)"),
    ] = 50
    quiet_hours: Annotated[
        str,
        Field(description="Local times between which nothing is mailed that can wait; empty: none"),
    ] = "21.00-06.00"
    mail_alarm_after: Annotated[
        float, Field(ge=0, description="Minutes mail may be down before the alarm is raised")
    ] = 15.0
    public_url: Annotated[
        HttpAddress | None,
        Field(description="Where reporters ask for their status (default: this machine, intake_port)"),
    ] = None
    agency_url: Annotated[
        HttpAddress | None,
        Field(description="Where officers open a case (default: this machine, routing_port)"),
    ] = None
    intake_url: Annotated[
        HttpAddress | None,
        Field(description="Address of intake's inner door (default: this machine, intake_port)"),
    ] = None
    intake_port: Annotated[Port, Field(description="Port of the intake door")] = 8080
    routing_port: Annotated[Port, Field(description="Port of the agencies' door")] = 8081
    ledger_url: Annotated[
        DatabaseAddress | None,
        Field(description="Database of the notices (default: notifications.db in data_dir)"),
    ] = None
    unknown_hold: Annotated[
        float,
        Field(ge=0, le=86_400, description="Seconds to wait before a mail of unknown outcome is sent again"),
    ] = 60.0

    @field_validator("smtp_tls")
    @classmethod
    def _password_stays_inside(cls, tls: str, others: ValidationInfo) -> str:
        if (
            others.data.get("smtp_user")
            and tls not in ("required", "implicit")
            and not _is_local(others.data["smtp_host"])
        ):
            raise ValueError("smtp_user would send its password unprotected; write required or implicit")
        return tls

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, text: str) -> str:
        if text:
            _hours(text)
        return text

    @property
    def quiet(self) -> tuple[time, time] | None:
        """The local times between which nothing is mailed that can wait."""
        return _hours(self.quiet_hours) if self.quiet_hours else None

    @property
    def bounces_to(self) -> str:
        """The address bounces come back to, before its token."""
        return self.bounce_address or f"bounces@{self.mail_domain}"

    @property
    def refusing_address(self) -> str:
        """Where a reader unsubscribes, without a slash at the end."""
        return _local(self.unsubscribe_url, self.notifications_port)

    @property
    def ledger_address(self) -> str:
        """The SQLAlchemy address of the ledger."""
        return self.ledger_url or f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'notifications.db'}"

    @property
    def intake_address(self) -> str:
        """The address of intake's inner door, without a slash at the end."""
        return _local(self.intake_url, self.intake_port)

    @property
    def public_address(self) -> str:
        """The address of the reporters' door, without a slash at the end."""
        return _local(self.public_url, self.intake_port)

    @property
    def agency_address(self) -> str:
        """The address of the agencies' door, without a slash at the end."""
        return _local(self.agency_url, self.routing_port)

    @property
    def smtp_is_local(self) -> bool:
        """Whether mail is handed over on this machine."""
        return _is_local(self.smtp_host)


def _hours(text: str) -> tuple[time, time]:
    """Two times as one writes them, `20.00-06.00`. Raises ValueError with the cure."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError("write two times like 20.00-06.00")
    begin_hour, begin, end_hour, end = map(int, found.groups())
    return time(begin_hour, begin), time(end_hour, end)


def _local(url: str | None, port: int) -> str:
    return (url or f"http://127.0.0.1:{port}").rstrip("/")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Checks the three services' readiness, the mail server, and the mails that ended badly."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx

from services.cli.checks.finding import Finding, fail, ok, warn
from services.cli.web import address, problem_of
from services.intake.settings import IntakeSettings
from services.notifications.postman import Postman
from services.notifications.settings import NotificationsSettings
from services.ops.settings import OpsSettings
from services.routing.settings import RoutingSettings

_LOG = "see data/logs/{}.log"


def services(
    intake: IntakeSettings, routing: RoutingSettings, mail: NotificationsSettings, elsewhere: OpsSettings
) -> Iterator[Finding]:
    """Findings about the running services, on this machine or elsewhere."""
    here = {
        "intake": (elsewhere.intake_url, address(intake.intake_host, intake.intake_port)),
        "routing": (elsewhere.routing_url, address(routing.routing_host, routing.routing_port)),
        "notifications": (
            elsewhere.notifications_url,
            address(mail.notifications_host, mail.notifications_port),
        ),
    }
    for name, (told, found) in here.items():
        yield _ready(name, (told or found).rstrip("/"))
    yield _smtp(mail)
    if mail.ledger_url is None:
        yield from _ledger(mail.data_dir / "notifications.db")
    if routing.deliveries_url is None:
        yield from _webhooks(routing.data_dir / "deliveries.db")


def _ready(name: str, url: str) -> Finding:
    try:
        response = httpx.get(f"{url}/readyz", timeout=5, trust_env=False)
    except httpx.HTTPError as problem:
        return fail(name, f"{url} does not answer ({type(problem).__name__})", "start it with `netral up`")
    if response.status_code == httpx.codes.OK:
        if warnings := problem_of(response).get("warnings"):
            return warn(name, f"{url} is ready, but {'; '.join(map(str, warnings))}", _LOG.format(name))
        return ok(name, f"{url} is ready")
    reasons = problem_of(response).get("detail") or response.text[:200]
    return fail(name, f"{url} is not ready: {reasons}", _LOG.format(name))


def _smtp(settings: NotificationsSettings) -> Finding:
    """Asked as a mail would ask: with TLS, its certificate and the login."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    if trouble := asyncio.run(_knock(settings)):
        cure = (
            "start it with `netral up`, or set NETRAL_SMTP_HOST, _PORT, _TLS, _CA_FILE, _USER and _PASSWORD"
        )
        return fail("mail", f"{where} takes no mail ({trouble}); mails wait, none is lost", cure)
    return ok("mail", f"{where} answers")


async def _knock(settings: NotificationsSettings) -> str | None:
    postman = Postman(settings)
    try:
        return await postman.knock()
    finally:
        await postman.close()


def _ledger(database: Path) -> Iterator[Finding]:
    """Counts of mails given up or of unknown outcome; silent where no ledger exists yet."""
    if not database.is_file():
        return
    try:
        with sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=2) as connection:
            counts = dict(connection.execute("SELECT state, count(*) FROM notices GROUP BY state"))
    except sqlite3.Error as problem:
        yield warn("mails", f"{database} cannot be read ({type(problem).__name__})", "try again")
        return
    words = {
        "FAILED": "given up",
        "BOUNCED": "came back",
        "WITHHELD": "withheld from an office that a reported person heads",
        "UNKNOWN": "of unknown outcome",
    }
    troubles = [f"{counts[state]} {said}" for state, said in words.items() if counts.get(state)]
    if troubles:
        cure = "`netral mail list --state trouble` shows them; unknown ones are sent once more by themselves"
        yield warn("mails", ", ".join(troubles), cure)
    else:
        yield ok("mails", f"{counts.get('SENT', 0)} sent, {counts.get('PENDING', 0)} wait, none given up")


_OF_WEBHOOKS = (
    "SELECT count(*) FROM deliveries WHERE state = 'HELD'",
    "SELECT count(*) FROM endpoints WHERE state IN ('DISABLED', 'SUSPENDED')",
    "SELECT count(*) FROM endpoints JOIN health USING (endpoint_id) WHERE state = 'ACTIVE' "
    "AND json_array_length(document, '$.raised') > 0",
)
"""What is held, which endpoints are stopped, and which of the others a human must see to."""


def _webhooks(database: Path) -> Iterator[Finding]:
    """Deliveries that wait for a person, and endpoints that are stopped; silent where nothing was ever pushed."""
    if not database.is_file():
        return
    try:
        with sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=2) as connection:
            held, stopped, failing = (connection.execute(query).fetchone()[0] for query in _OF_WEBHOOKS)
    except sqlite3.Error as problem:
        yield warn("webhooks", f"{database} cannot be read ({type(problem).__name__})", "try again")
        return
    if held or stopped or failing:
        says = f"{held} deliveries held, {stopped} endpoints stopped, {failing} failing; nothing is lost"
        yield warn(
            "webhooks", says, "see `netral webhooks` and `netral deliveries --state HELD`; tell the agency"
        )
    else:
        yield ok("webhooks", "none held, no endpoint stopped or failing")

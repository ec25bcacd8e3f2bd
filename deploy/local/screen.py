"""The one screen `netral up` shows when everything is ready."""

from typing import Any


def screen(settings: Any) -> str:
    """Addresses, where things lie, and what to type next."""
    door, agencies = f"http://127.0.0.1:{settings.intake_port}", f"http://127.0.0.1:{settings.routing_port}"
    data = settings.data_dir
    return f"""
Netral is ready.

  reports    POST {door}/v1/reports        (API: {door}/openapi.json)
  agencies   GET  {agencies}/v1/agencies/BAWASLU/inbox   (API: {agencies}/openapi.json)
  ops        http://127.0.0.1:{settings.ops_port}/   (what is wrong, queues, traces, cases)
  broker     {settings.broker_shown}, mail to 127.0.0.1:{settings.smtp_port}

  mail       http://127.0.0.1:{settings.inbox_port}        (files: {data}/inbox/*.eml)
  logs       {data}/logs/
  keys       {data}/secrets/agency-keys.json

Type next, in another terminal:
  .venv/bin/netral send tests/cases/reports        send the 22 real cases
  .venv/bin/netral inbox BAWASLU                   what Bawaslu has to do
  .venv/bin/netral case TICKET                     who was told what, when and why
  .venv/bin/netral doctor                          is everything well?

Ctrl-C stops everything; the data stays.
"""

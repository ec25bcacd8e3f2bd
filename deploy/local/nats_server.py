"""An own nats-server from the wheel: file storage under the data folder, own accounts, loopback only."""

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from contracts.agency_events import STREAM as TOLD
from deploy.local.identities import Identities
from deploy.local.permissions import allowed
from deploy.local.processes import spawn, stop
from deploy.local.secrets import NATS_USERS, CannotStart, write_private

NEXT, ACK = f"$JS.API.CONSUMER.MSG.NEXT.{TOLD}.*", f"$JS.ACK.{TOLD}.>"
"""All that the agencies' account can see of ours; each agency may use its own part of it only."""
ROUTE_PING = 3
"""Seconds between two pings of the servers of a cluster. One that answers none of two or three is no longer asked; until
then a third of all questions goes to it."""


@dataclass(frozen=True)
class Node:
    """This server's place in a cluster: its own name, where the others reach it, and where it finds them."""

    name: str
    listen: str
    routes: tuple[str, ...]


@dataclass
class NatsServer:
    """One server over one data folder; start, stop and start again keep the data."""

    data_dir: Path
    port: int
    monitor_port: int
    host: str = "127.0.0.1"
    tls: tuple[Path, Path] | None = None
    """Certificate and key; without them the server speaks in the clear, so on this machine only."""
    node: Node | None = None
    monitor_host: str = "127.0.0.1"
    sync: str = "always"
    """When what is stored is synced to the disk: before it is acknowledged, or every so often (`2m`; ADR 0110)."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start and wait until it answers. Raises CannotStart with nats-server's own words about its config."""
        config = self.data_dir / "nats" / "nats.conf"
        config.parent.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "logs").mkdir(exist_ok=True)
        Identities(self.data_dir).write()
        write_private(config, self.config())
        checked = subprocess.run(  # noqa: S603 - our own program and file
            [binary(), "-t", "-c", str(config)], capture_output=True, text=True, check=False
        )
        if checked.returncode:
            raise CannotStart(
                f"nats-server refuses its configuration: {checked.stderr.strip().splitlines()[-1]}"
            )
        self.process = spawn([binary(), "-c", str(config)], self.data_dir / "logs" / "nats.log")
        self._await()
        return self.process

    def stop(self) -> None:
        """SIGTERM and wait."""
        if self.process:
            stop(self.process)
            self.process = None

    def config(self) -> str:
        """The configuration."""
        return f"""server_name: {_quoted(self.node.name if self.node else "netral")}
listen: {_quoted(f"{self.host}:{self.port}")}
{self._tls()}{self._cluster()}http: "{self.monitor_host}:{self.monitor_port}"
pid_file: {_quoted(self.data_dir.resolve() / "nats" / "nats.pid")}
max_payload: 8MB
max_pending: 128MB
jetstream {{ store_dir: {_quoted(self.data_dir.resolve() / "nats")}, sync_interval: {_quoted(self.sync)} }}
{self.accounts()}"""

    def accounts(self) -> str:
        """Who may do what: the part that holds also where another hand writes the rest."""
        return f"""accounts {{
  NETRAL {{ jetstream: enabled, users: [
{"".join(f"    {self._user(user)}" for user in NATS_USERS)}  ],
    exports: [ {{ service: {_quoted(NEXT)}, response: stream }}, {{ service: {_quoted(ACK)}, response: stream }} ] }}
  AGENCIES {{
    include "agencies.conf"
    imports: [ {_imported(NEXT)}, {_imported(ACK)} ]
  }}
  SYS {{ users: [] }}
}}
system_account: SYS
"""

    def _tls(self) -> str:
        if self.tls is None:
            return ""
        certificate, key = self.tls
        return f"tls {{ cert_file: {_quoted(certificate)}, key_file: {_quoted(key)} }}\n"

    def _cluster(self) -> str:
        if self.node is None:
            return ""
        routes = json.dumps(list(self.node.routes))
        own = f"name: netral, listen: {_quoted(self.node.listen)}, routes: {routes}"
        return f'cluster {{ {own}, ping_interval: "{ROUTE_PING}s", ping_max: 2 }}\n'

    def _user(self, user: str) -> str:
        password = (self.data_dir / "secrets" / f"nats-{user}").read_text().strip()
        publish, subscribe = allowed(user)
        permissions = (
            f"publish: {{ allow: {json.dumps(publish)} }}, subscribe: {{ allow: {json.dumps(subscribe)} }}"
        )
        return f"{{ user: {user}, password: {_quoted(password)}, permissions: {{ {permissions} }} }}\n"

    def _await(self) -> None:
        url = f"http://127.0.0.1:{self.monitor_port}/healthz?js-server-only=true"
        for _ in range(3000):
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, timeout=1) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
        raise CannotStart(f"nats-server did not become ready; read {self.data_dir}/logs/nats.log.")


def binary() -> str:
    """The nats-server program of this environment. Raises CannotStart."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if not found:
        raise CannotStart("nats-server is not installed here; run `make up`, which installs it.")
    return found


def _imported(subject: str) -> str:
    return f"{{ service: {{ account: NETRAL, subject: {_quoted(subject)} }} }}"


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)  # nats-server reads no \u escapes

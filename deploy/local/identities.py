"""The agencies' identities at the broker: public NKEYs only, in a register, and the file nats-server reads them from."""

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from contracts.receiver.nkey import public_of
from contracts.topology import agency_consumer
from deploy.local.permissions import allowed_to_agency
from deploy.local.secrets import write_private


@dataclass(frozen=True)
class Identity:
    """One key of an agency or of one of its offices; instants are ISO 8601 in UTC."""

    public: str
    agency: str
    office: str | None
    issued_at: str
    revoked_at: str | None = None

    @property
    def durable(self) -> str:
        return agency_consumer(self.agency, self.office).name


class NoSuchIdentity(Exception):
    """No key that is still good is known by this name."""


class Identities:
    """The register `nats/agencies.json` of a data folder; `nats/agencies.conf` is made from it."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "nats"
        self._register, self.conf = self._folder / "agencies.json", self._folder / "agencies.conf"

    def all(self) -> list[Identity]:
        """Every key ever issued, in that order."""
        if not self._register.exists():
            return []
        return [Identity(**entry) for entry in json.loads(self._register.read_text(encoding="utf-8"))]

    def add(self, seed: str, agency: str, office: str | None, at: datetime) -> Identity:
        """Register the public half of a seed. The seed itself is kept nowhere."""
        new = Identity(public_of(seed), agency, office, at.isoformat())
        with self._changing() as known:
            known.append(new)
        return new

    def revoke(self, public: str, at: datetime) -> Identity:
        """Make a key worthless; its entry stays. Raises NoSuchIdentity."""
        with self._changing() as known:
            for place, identity in enumerate(known):
                if identity.public == public and identity.revoked_at is None:
                    known[place] = replace(identity, revoked_at=at.isoformat())
                    return known[place]
        raise NoSuchIdentity(public)

    def write(self) -> None:
        """The file nats-server includes: who may log in, and what each may do. It holds no secret."""
        users = []
        for identity in self.all():
            if identity.revoked_at is None:
                publish, subscribe = allowed_to_agency(identity.durable)
                may = {"publish": {"allow": publish}, "subscribe": {"allow": subscribe}}
                users.append({"nkey": identity.public, "permissions": may})
        self._folder.mkdir(parents=True, exist_ok=True)
        write_private(self.conf, f"users: {json.dumps(users, indent=1)}\n")

    def reload(self) -> bool:
        """Tell the nats-server of this folder to read the file again; False if none runs here.

        The server itself ends the connections of whoever is no longer named.
        """
        try:
            pid = int((self._folder / "nats.pid").read_text())
            if sys.platform == "linux" and b"nats-server" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                return False  # the server was killed, and another program has its number now
            os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError):
            return False
        return True

    @contextmanager
    def _changing(self) -> Iterator[list[Identity]]:
        """One change at a time, written whole; both files are as the list says afterwards."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "agencies.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self.all()
            yield known
            write_private(self._register, json.dumps([asdict(one) for one in known], indent=1) + "\n")
            self.write()

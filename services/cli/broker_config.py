"""`netral broker-config`: the configuration of a nats-server that is not started by `netral up`: a container, a cluster."""

from pathlib import Path

from deploy.local.identities import Identities
from deploy.local.nats_server import NatsServer, Node
from deploy.local.secrets import CannotStart, ensure, write_private
from deploy.local.settings import UpSettings
from services.cli.errors import BAD_INPUT, TROUBLE, Stop
from services.cli.web import settings_of


def write(
    listen: str,
    monitor: str,
    node: str | None,
    cluster_listen: str,
    routes: list[str],
    tls: tuple[Path, Path] | None,
    *,
    new_secrets: bool,
) -> Path:
    """Write `nats/nats.conf`, and its accounts alone for a server configured elsewhere; the path. Raises Stop."""
    settings = settings_of(UpSettings)
    (host, port), (monitor_host, monitor_port) = _address("listen", listen), _address("monitor", monitor)
    server = NatsServer(
        settings.data_dir,
        port,
        monitor_port,
        host=host,
        tls=tls,
        node=Node(node, cluster_listen, tuple(routes)) if node else None,
        monitor_host=monitor_host,
        sync=settings.broker_sync,
    )
    try:
        if new_secrets:
            ensure(settings.data_dir)
        Identities(settings.data_dir).write()
        path = settings.data_dir / "nats" / "nats.conf"
        write_private(path, server.config())
        write_private(path.with_name("accounts.conf"), server.accounts())
    except (CannotStart, OSError) as problem:
        raise Stop(f"broker-config: {problem}", TROUBLE) from None
    return path


def _address(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise Stop(f"--{name}: {text!r} is not HOST:PORT; write 0.0.0.0:4222", BAD_INPUT)
    return host, int(port)

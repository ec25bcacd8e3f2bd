"""Three nats-servers on loopback, configured as those of a deployment are, and services over them."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nats

from deploy.local.nats_server import NatsServer, Node
from deploy.local.secrets import ensure
from deploy.streams import provision
from services.runtime.connecting import connection
from services.runtime.settings import Settings
from tests.ports import free_port
from tests.running import until

NODES = ("n1", "n2", "n3")


@dataclass
class Cluster:
    """`data_dir` is the services' own; each server has a folder with the same secrets."""

    folder: Path
    servers: dict[str, NatsServer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data_dir = self.folder / "services"
        ensure(self.data_dir)
        (self.data_dir / "logs").mkdir()
        routes = {name: f"127.0.0.1:{free_port()}" for name in NODES}
        for name in NODES:
            data = self.folder / name
            shutil.copytree(self.data_dir / "secrets", data / "secrets")
            others = tuple(f"nats://{address}" for other, address in routes.items() if other != name)
            node = Node(name, routes[name], others)
            self.servers[name] = NatsServer(data, free_port(), free_port(), node=node)
        urls = ",".join(f"nats://127.0.0.1:{server.port}" for server in self.servers.values())
        self.settings = Settings(data_dir=self.data_dir, nats_url=urls, nats_replicas=3)

    async def start(self) -> None:
        for server in self.servers.values():
            server.start()
        nc = await nats.connect(**connection(self.settings, "operator"))
        await until(lambda: _has_a_leader(nc))
        await until(lambda: _provisioned(nc))
        await nc.close()

    async def leader(self, stream: str) -> str:
        nc = await nats.connect(**connection(self.settings, "operator"))
        try:
            info = await nc.jetstream().stream_info(stream)
            assert info.cluster is not None
            return str(info.cluster.leader)
        finally:
            await nc.close()

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self.servers[name].process
        assert process is not None
        process.kill()
        process.wait()

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()


async def _has_a_leader(nc: nats.NATS) -> bool:
    try:
        await nc.jetstream(timeout=1).account_info()
    except (TimeoutError, nats.errors.Error, nats.js.errors.Error):
        return False
    return True


async def _provisioned(nc: nats.NATS) -> bool:
    """A leader that does not know the third server yet refuses three copies."""
    return not any(drift.refused for drift in await provision(nc.jetstream(timeout=20), replicas=3))

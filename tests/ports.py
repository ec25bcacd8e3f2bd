"""Free ports of the loopback interface, below those the system gives to outgoing connections."""

import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST, _SHARE, _SHARES = 15_000, 2_000, 8
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_ports = list(range(_FIRST + _worker * _SHARE, _FIRST + (_worker + 1) * _SHARE))
random.SystemRandom().shuffle(_ports)


def free_port() -> int:
    """A port nobody listens on now, that no outgoing connection can be given, nor a test beside this one.

    A server that was killed finds its port free again: none is given twice before all were.
    """
    while True:
        port = _ports.pop(0)
        _ports.append(port)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


@contextmanager
def silent_address(port: int) -> Iterator[str]:
    """An address of this machine that answers no connection on this port, as one behind a wall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", port))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]  # what finds no place in its queue hears nothing
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield "127.0.0.2"
        for client in waiting:
            client.close()

"""Free ports of the loopback interface, below those the system gives to outgoing connections."""

import random
import socket

_FIRST, _LAST = 15_000, 32_000
_dice = random.SystemRandom()


def free_port() -> int:
    """A port nobody listens on now, and that no outgoing connection can be given in the meantime."""
    while True:
        port = _dice.randint(_FIRST, _LAST)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue

"""The shell that tests are started in may be that of an installation, whose databases and keys are none of theirs."""

import os

_OURS = ("NETRAL_GOLDEN", "NETRAL_BENCH", "NETRAL_NODE_RED", "NETRAL_SINK")
"""Variables that tell the tests something; every other one is a setting."""


def forget_installation() -> None:
    """Take every setting of Netral and its telemetry out of the environment, also for all that is started."""
    for name in [*os.environ]:
        if name.startswith(("NETRAL_", "OTEL_")) and not name.startswith(_OURS):
            del os.environ[name]

"""How a command ends when it cannot do what was asked: with one sentence and an exit code."""

BAD_INPUT = 2
"""What was given cannot be used; doing the same again cannot help."""
TROUBLE = 1
"""The world was not ready: a service away, a disk full, some reports not delivered."""


class Stop(Exception):
    """Ends the command. The text names the thing, the cause and the cure; one line for each trouble."""

    def __init__(self, text: str, code: int = TROUBLE) -> None:
        self.code = code
        super().__init__(text)


class Unknown(Stop):
    """What was asked for is not there, or not for whoever asked."""

"""Whether the words the log holds open with the key this service was started with."""

from contracts.events import CaseStepped
from services.routing.views import Views
from services.routing.words import Words
from services.runtime.logs import log

ANOTHER_KEY = (
    "words in the log were sealed with another case.key; restore that key from your backup and restart"
)


async def another_key(words: Words, views: Views) -> bool:
    """Try the first and the last sealed step; a key that was exchanged fails one of them. Raises SQLAlchemyError."""
    for row in await views.sealed_steps():
        data = CaseStepped.model_validate_json(row["event"]).data
        if data.sealed and not words.opens(data.case_id, data.number, data.sealed):
            log("words.another_key", level="ERROR", reason=ANOTHER_KEY)
            return True
    return False

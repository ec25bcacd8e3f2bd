"""The rulebooks that were ever the law of the running system, from the stream that holds their text."""

from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from contracts.events import RulebookLoaded
from services.routing.core.decide import Judge
from services.routing.core.route import Reasoner
from services.routing.rulebook_files import read_rulebook


async def judges(js: JetStreamContext, packaged: Judge) -> dict[str, Judge]:
    """A judge for each rulebook by its digest; the packaged one is there even if it was never loaded.

    Raises BrokenRulebook if this version of the software cannot read an older text.
    """
    found = {packaged.reasoner.book.digest: packaged}
    last = (await js.stream_info("RULEBOOKS")).state.last_seq
    for seq in range(1, last + 1):
        try:
            stored = await js.get_msg("RULEBOOKS", seq)
        except NotFoundError:
            continue
        data = RulebookLoaded.model_validate_json(stored.data or b"").data
        if data.rulebook.digest not in found:
            book = read_rulebook({name: text.encode() for name, text in data.files.items()})
            found[data.rulebook.digest] = replace(packaged, reasoner=Reasoner(book))
    return found

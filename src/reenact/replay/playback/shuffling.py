"""Make of recorded exchanges the cards that a take's requests are given."""

from collections.abc import Iterable, Mapping

from reenact.domain.exchange import Ending, Exchange
from reenact.domain.replay import PlannedCall
from reenact.replay.matching.assigning import Card
from reenact.replay.matching.fingerprinting import fingerprint, recorded
from reenact.replay.matching.normalising import Normaliser


def cards_of(
    exchanges: Iterable[Exchange], planned: Mapping[str, PlannedCall], normaliser: Normaliser
) -> Iterable[Card]:
    """Yield a card for each exchange that a request may match; *planned* are the plan's calls by id."""
    for exchange in exchanges:
        call = planned[exchange.id]
        if exchange.handling.omitted_request or not exchange.method:
            continue
        yield Card(
            index=call.index,
            call_id=call.call_id,
            print=fingerprint(recorded(exchange), normaliser),
            hindrance=call.reason if call.action == "skip" else _hindrance(exchange) if call.action == "serve" else "",
        )


def _hindrance(exchange: Exchange) -> str:
    """Return why an answer cannot be given again."""
    if exchange.status == 0 and exchange.ending is Ending.CLIENT_LEFT:
        return "its agent left before an answer came"
    return ""

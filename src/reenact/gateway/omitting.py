"""Leaving bodies out of the record, and what is kept in their place (surface 1.6)."""

import msgspec

from reenact.domain.call import Call
from reenact.domain.exchange import Exchange, Metrics


def without_bodies(exchange: Exchange, call: Call | None, *, request: bool, response: bool) -> Exchange:
    """Return *exchange* without the bodies that its agent does not want kept; the tokens and names in them are.

    Args:
        exchange: with its bodies.
        call: what it means; None when that could not be read, and then its tokens are lost.
        request: whether the request's body is left out.
        response: whether the answer's body is left out, and with it how it was cut into pieces.
    """
    metrics = Metrics(
        request_model=call.request_model if call is not None else None,
        response_model=call.response_model if call is not None else None,
        response_id=call.response_id if call is not None else None,
        stop_reason=call.stop_reason if call is not None else None,
        error=call.error if call is not None and not response else None,
        streamed=call is not None and call.streamed,
        **({"usage": call.usage} if call is not None else {}),
        request_body_bytes=len(exchange.request_body),
        response_body_bytes=len(exchange.response_body),
    )
    return msgspec.structs.replace(
        exchange,
        request_body=b"" if request else exchange.request_body,
        tagged=None if request else exchange.tagged,
        response_body=b"" if response else exchange.response_body,
        chunks=() if response else exchange.chunks,
        frames=() if request or response else exchange.frames,
        handling=msgspec.structs.replace(
            exchange.handling,
            asked=None if request else exchange.handling.asked,
            omitted_request=request,
            omitted_response=response,
            metrics=metrics,
        ),
    )

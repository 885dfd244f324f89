"""Gateway: what serves agents' calls, on the hot path. It knows HTTP and keys, and leaves the rest to the relay."""

from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.exchange import Header
from reenact.errors import Forbidden, TooLarge, Unauthenticated
from reenact.gateway.addressing import Address, TakeName, read_address, read_take
from reenact.gateway.ask import Ask, Upload
from reenact.gateway.controlling import control
from reenact.gateway.keying import keyed
from reenact.gateway.labelling import Labelled, end_to_end, label, value_of
from reenact.gateway.prompting import has_tags
from reenact.gateway.refusing import refuse
from reenact.gateway.relay import Relay
from reenact.gateway.routing import NotOurs, Rejection, Route, Routes, Target
from reenact.gateway.visit import Scope, Visit

_UPLOADS = ("multipart/", "audio/", "image/", "video/", "application/octet-stream")
_ROUTE = "reenact.route"
"""Where `handles` leaves its finding in a scope."""
_ADDRESS = "reenact.address"
"""Where it leaves which session or take the path names."""
_TAKE = b"reenact-take"

Authorise = Callable[[str | None, Sequence[Header]], str]
"""Given the Helicone key, or None, and a request's headers, returns the organisation; raises Unauthenticated, or Forbidden for
a key that may not record and a page of somebody else's. Runs on the event loop for every call: it must wait for nothing."""


class Gateway:
    """Relays what is for a provider. Put it before the other apps: `if gateway.handles(scope): await gateway(scope, visit)`."""

    def __init__(
        self,
        relay: Relay,
        routes: Routes,
        authorise: Authorise,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        max_body_bytes: int = 100 * 1024 * 1024,
    ) -> None:
        """Take the parts.

        Args:
            relay: asks and records.
            routes: knows the providers.
            authorise: knows the keys.
            clock: microseconds since the epoch; the relay's own.
            new_id: gives UUIDs.
            max_body_bytes: a larger request is refused with 413.
        """
        self._relay = relay
        self._routes = routes
        self._authorise = authorise
        self._clock = clock
        self._new_id = new_id
        self._max_body_bytes = max_body_bytes
        self.unadmitted = 0
        """Calls since the start that were refused for want of a key: they are nobody's, so there is no record of them."""

    def handles(self, scope: Scope) -> bool:
        """Return whether a request is for a provider. Looks at its head only."""
        headers = scope["headers"]
        host = next((value for name, value in headers if name == b"host"), b"")
        address = read_address(scope["raw_path"])
        route = self._routes.route(host, address.path, scope["query_string"], headers)
        scope[_ROUTE] = route
        scope[_ADDRESS] = address
        return not isinstance(route, NotOurs)

    async def __call__(self, scope: Scope, agent: Visit) -> None:
        """Serve one request that `handles` has claimed."""
        started_us = self._clock()
        route: Route = scope[_ROUTE]
        assert not isinstance(route, NotOurs)
        labelled = label(scope["headers"])
        target = route.target if isinstance(route, Rejection) else route
        try:
            organisation_id = self._authorise(labelled.helicone_key or target.path_key, scope["headers"])
        except Unauthenticated as error:
            self.unadmitted += 1
            await agent.refuse(refuse(401, "invalid_api_key", error.message))
            return
        except Forbidden as error:
            self.unadmitted += 1
            await agent.refuse(refuse(403, "forbidden", error.message))
            return
        ask = self._ask(scope, target, labelled, organisation_id, started_us)
        if isinstance(route, Rejection):
            await self._relay.refuse(ask, refuse(route.status, "invalid_target", route.message), agent)
        else:
            await self._serve(ask, agent)

    def _ask(self, scope: Scope, target: Target, labelled: Labelled, organisation_id: str, started_us: int) -> Ask:
        """Return what is asked, the body yet to be read."""
        host = value_of(scope["headers"], b"host") or "localhost"
        address: Address = scope[_ADDRESS]
        take = take_of(scope)
        labels = labelled.labels
        if address.session_id is not None and labels.session_id is None:
            labels = msgspec.structs.replace(labels, session_id=address.session_id)
        return Ask(
            # An agent that runs again may give the ids that it gave before: the recorded calls are not to be overwritten.
            id=(labelled.request_id if take is None else None) or self._new_id(),
            organisation_id=organisation_id,
            method=scope["method"],
            url=f"{scope['scheme']}://{host}{target.called.decode('latin-1')}",
            provider=target.provider,
            origin=target.origin,
            target=target.target,
            labels=labels,
            headers=keyed(labelled.headers, target.auth, target.target),
            received=end_to_end(scope["headers"]),
            body=b"",
            started_us=started_us,
            controls=control(scope["headers"]),
            is_guarded=target.is_guarded,
            elects=target.elects,
            take=take,
        )

    async def _serve(self, ask: Ask, agent: Visit) -> None:
        """Read the body of *ask* and relay it."""
        if agent.is_upgrade and ask.take is not None:
            message = "A take answers requests only: have the agent use HTTP in place of a WebSocket."
            await self._relay.refuse(ask, refuse(501, "not_played", message), agent)
            return
        if agent.is_upgrade:
            await self._relay.tunnel(ask, agent)
            return
        if ask.is_plain and not agent.is_received and _is_upload(ask.headers):
            told = value_of(agent.scope["headers"], b"content-length")
            upload = Upload(agent.pieces(self._max_body_bytes), int(told) if told and told.isdigit() else None)
            await self._relay.relay(msgspec.structs.replace(ask, upload=upload), agent)
            return
        try:
            body = await agent.body(self._max_body_bytes)
        except TooLarge as error:
            await self._relay.refuse(ask, refuse(413, "request_too_large", error.message), agent)
            return
        if ask.labels.prompt_id is not None and has_tags(body) and not ask.controls.ignores_tags:
            ask = msgspec.structs.replace(ask, controls=msgspec.structs.replace(ask.controls, reads_tags=True))
        await self._relay.relay(msgspec.structs.replace(ask, body=body), agent)


def _is_upload(headers: Sequence[Header]) -> bool:
    """Return whether a body is files, which nobody has to read before they are passed on."""
    return (value_of(headers, b"content-type") or "").lower().startswith(_UPLOADS)


def take_of(scope: Scope) -> TakeName | None:
    """Return the take that a request which a gateway handles names, by its path or its header."""
    address: Address = scope[_ADDRESS]
    if address.take is not None:
        return address.take
    name = value_of(scope["headers"], _TAKE)
    return None if name is None else read_take(name)

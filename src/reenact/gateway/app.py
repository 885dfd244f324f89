"""Gateway: what serves agents' calls, on the hot path. It knows HTTP and keys, and leaves the rest to the relay."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from reenact.domain.exchange import Header
from reenact.errors import Forbidden, TooLarge, Unauthenticated
from reenact.gateway.addressing import TakeName
from reenact.gateway.ask import Ask, Upload
from reenact.gateway.heads import KNOWN, LENGTH, Known
from reenact.gateway.labelling import value_of
from reenact.gateway.prompting import has_tags
from reenact.gateway.reading import HeadReading, read
from reenact.gateway.refusing import refuse
from reenact.gateway.relay import Relay
from reenact.gateway.routing import NOT_OURS, Routes
from reenact.gateway.scope import Scope
from reenact.gateway.vaulting import objection, opened
from reenact.gateway.visit import Visit

_READING = "reenact.reading"
"""Where `handles` leaves its finding in a scope."""

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
        provider_keys: Mapping[str, str] | None = None,
    ) -> None:
        """Take the parts.

        Args:
            relay: asks and records.
            routes: knows the providers.
            authorise: knows the keys.
            clock: microseconds since the epoch; the relay's own.
            new_id: gives UUIDs.
            max_body_bytes: a larger request is refused with 413.
            provider_keys: by provider, what keys of the server's may stand for.
        """
        self._relay = relay
        self._routes = routes
        self._authorise = authorise
        self._clock = clock
        self._new_id = new_id
        self._max_body_bytes = max_body_bytes
        self._provider_keys = provider_keys or {}
        self.unadmitted = 0
        """Calls since the start that were refused for want of a key: they are nobody's, so there is no record of them."""

    def handles(self, scope: Scope) -> bool:
        """Return whether a request is for a provider. Looks at its head only."""
        known: Known | None = scope.get(KNOWN)
        reading: object = None if known is None else known.reading
        if reading is None:
            reading = read(scope, self._routes)
            if known is not None:
                known.reading = reading
        scope[_READING] = reading
        return reading is not NOT_OURS

    async def __call__(self, scope: Scope, agent: Visit) -> None:
        """Serve one request that `handles` has claimed."""
        started_us = self._clock()
        reading: HeadReading = scope[_READING]
        try:
            organisation_id = self._authorise(reading.key, scope["headers"])
        except Unauthenticated as error:
            self.unadmitted += 1
            await agent.refuse(refuse(401, "invalid_api_key", error.message))
            return
        except Forbidden as error:
            self.unadmitted += 1
            await agent.refuse(refuse(403, "forbidden", error.message))
            return
        ask = partial(self._ask, scope, reading, organisation_id, started_us)
        if reading.rejection is not None:
            refusal = refuse(reading.rejection.status, "invalid_target", reading.rejection.message)
            await self._relay.refuse(ask(b""), refusal, agent)
        elif (objection := self._locked(reading)) is not None:
            await self._relay.refuse(ask(b""), refuse(403, "disallowed", objection), agent)
        elif agent.is_upgrade:
            await self._tunnel(ask(b""), agent)
        elif reading.is_upload and not agent.is_received and (upload := ask(b"")).is_plain:
            await self._relay.relay(self._uploading(upload, agent), agent)
        else:
            await self._serve(ask, agent)

    def _ask(self, scope: Scope, reading: HeadReading, organisation_id: str, started_us: int, body: bytes) -> Ask:
        """Return what is asked."""
        target = reading.target
        received, recorded = reading.lists(scope.get(LENGTH))
        return Ask(
            id=reading.request_id or self._new_id(),
            organisation_id=organisation_id,
            method=reading.method,
            url=reading.url,
            provider=target.provider,
            origin=target.origin,
            target=target.target,
            labels=reading.labels,
            headers=self._headers(reading),
            received=received,
            recorded=recorded,
            body=body,
            started_us=started_us,
            controls=reading.controls,
            is_guarded=target.is_guarded,
            elects=target.elects,
            take=reading.take,
        )

    def _locked(self, reading: HeadReading) -> str | None:
        """Return why the provider's key that the agent's stands for is not put in; None when it is, or none is wanted."""
        if reading.vault is None:
            return None
        return objection(reading.vault, reading.target, reading.controls, self._provider_keys)

    def _headers(self, reading: HeadReading) -> tuple[Header, ...]:
        """Return what is forwarded, the provider's key among it where the agent's stands for one."""
        if reading.vault is None or self._locked(reading) is not None:
            return reading.headers
        return opened(reading.headers, reading.target, self._provider_keys[reading.vault])

    async def _serve(self, ask: Callable[[bytes], Ask], agent: Visit) -> None:
        """Read the body, and relay what is asked with it."""
        try:
            body = await agent.body(self._max_body_bytes)
        except TooLarge as error:
            await self._relay.refuse(ask(b""), refuse(413, "request_too_large", error.message), agent)
            return
        whole = ask(body)
        if whole.labels.prompt_id is not None and has_tags(body) and not whole.controls.ignores_tags:
            controls = msgspec.structs.replace(whole.controls, reads_tags=True)
            whole = msgspec.structs.replace(whole, controls=controls)
        await self._relay.relay(whole, agent)

    def _uploading(self, ask: Ask, agent: Visit) -> Ask:
        """Return *ask* with a body that is passed on as it comes."""
        told = value_of(agent.scope["headers"], b"content-length")
        upload = Upload(agent.pieces(self._max_body_bytes), int(told) if told and told.isdigit() else None)
        return msgspec.structs.replace(ask, upload=upload)

    async def _tunnel(self, ask: Ask, agent: Visit) -> None:
        """Pass a WebSocket on."""
        if ask.take is not None:
            message = "A take answers requests only: have the agent use HTTP in place of a WebSocket."
            await self._relay.refuse(ask, refuse(501, "not_played", message), agent)
        else:
            await self._relay.tunnel(ask, agent)


def take_of(scope: Scope) -> TakeName | None:
    """Return the take that a request which a gateway handles names, by its path or its header."""
    reading: HeadReading = scope[_READING]
    return reading.take

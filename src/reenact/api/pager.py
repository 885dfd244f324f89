"""Pager: reads calls with their bodies out of the store and writes them as Helicone's rows."""

from collections.abc import Mapping, Sequence

import msgspec

from reenact.api.envelope import Envelope, listed
from reenact.api.rows import HeliconeRequest, row
from reenact.api.signing import LIFETIME_S, signature
from reenact.domain.call import Bodies, Call
from reenact.domain.exchange import Header
from reenact.errors import FolderUnusable, InvalidInput, StoreFailed
from reenact.ingest.unpacking import unpack
from reenact.store.calls import CallStore

INLINE_BYTES = 64 * 1024 * 1024
"""Bodies in one answer, as they crossed the gateway. What is over it is at `signed_body_url`, as Helicone always has it."""
UNPACKED_BYTES = 16 * 1024 * 1024
"""Of bodies in one answer that were compressed, a thousandfold perhaps; those that do not fit are shown as they crossed."""


class Pager(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one answer are written."""

    calls: CallStore
    organisation_id: str
    secret: bytes
    origin: str
    """Of this server as whoever asks reaches it; no slash at the end."""
    now_s: float
    typed_scores: bool = False

    def page(self, calls: Sequence[Call], *, with_bodies: bool = True) -> list[bytes]:
        """Return the answer for a list of *calls*, in pieces. Reads and encodes: call it in a thread."""
        return listed(self.rows(calls, with_bodies=with_bodies))

    def one(self, call: Call, *, with_bodies: bool) -> bytes:
        """Return the answer for one call."""
        return msgspec.json.encode(Envelope(self.rows([call], with_bodies=with_bodies)[0]))

    def rows(self, calls: Sequence[Call], *, with_bodies: bool = True) -> list[HeliconeRequest]:
        """Return *calls* as rows, bodies inline from the first on while they fit."""
        inline = _fitting(calls) if with_bodies else []
        bodies = _unpacked(self._bodies(inline)) if inline else {}
        return [
            row(
                call,
                bodies.get(call.id),
                origin=self.origin,
                signed_body_url=self._address(call.id),
                typed_scores=self.typed_scores,
                asset_urls=self._asset_urls(call.id, bodies.get(call.id)),
            )
            for call in calls
        ]

    def _bodies(self, call_ids: Sequence[str]) -> Mapping[str, Bodies]:
        """Return the bodies of these calls; one that is damaged is left out and hides no other."""
        try:
            return self.calls.bodies(self.organisation_id, call_ids)
        except (FolderUnusable, StoreFailed):
            if len(call_ids) == 1:
                return {}
            return {found: one for call_id in call_ids for found, one in self._bodies([call_id]).items()}

    def asset_address(self, call_id: str, asset_id: str, lifetime_s: int) -> str:
        """Return where an asset can be had without a key for so long."""
        expires_s = int(self.now_s) + lifetime_s
        proof = signature(self.secret, self.organisation_id, call_id, expires_s, asset_id=asset_id)
        query = f"organisation={self.organisation_id}&expires={expires_s}&signature={proof}"
        return f"{self.origin}/v1/public/request/{call_id}/assets/{asset_id}?{query}"

    def _asset_urls(self, call_id: str, bodies: Bodies | None) -> dict[str, str]:
        assets = bodies.assets if bodies else ()
        return {asset.id: self.asset_address(call_id, asset.id, LIFETIME_S) for asset in assets}

    def _address(self, call_id: str) -> str:
        expires_s = int(self.now_s) + LIFETIME_S
        proof = signature(self.secret, self.organisation_id, call_id, expires_s)
        query = f"organisation={self.organisation_id}&expires={expires_s}&signature={proof}"
        return f"{self.origin}/v1/public/request/{call_id}/body?{query}"


def _fitting(calls: Sequence[Call]) -> list[str]:
    """Return the ids of the calls whose bodies fit into one answer, from the first on."""
    fitting: list[str] = []
    total_bytes = 0
    for call in calls:
        total_bytes += call.request_body_bytes + call.response_body_bytes
        if total_bytes > INLINE_BYTES and fitting:
            break
        fitting.append(call.id)
    return fitting


def _unpacked(found: Mapping[str, Bodies]) -> dict[str, Bodies]:
    """Return bodies with the compressed ones unpacked, as long as they fit into one answer."""
    left_bytes = UNPACKED_BYTES
    unpacked: dict[str, Bodies] = {}
    for call_id, bodies in found.items():
        request = _opened(bodies.request, bodies.request_headers, left_bytes)
        left_bytes -= len(request) if request is not bodies.request else 0
        response = bodies.response
        if bodies.answer is None:
            response = _opened(response, bodies.response_headers, left_bytes)
            left_bytes -= len(response) if response is not bodies.response else 0
        unpacked[call_id] = msgspec.structs.replace(
            bodies, request=request, response=response, request_headers=(), response_headers=()
        )
    return unpacked


def _opened(body: bytes, headers: Sequence[Header], most_bytes: int) -> bytes:
    """Return *body* unpacked; as it crossed when it cannot be, or would be too long."""
    try:
        return unpack(body, headers, most_bytes)
    except InvalidInput:
        return body

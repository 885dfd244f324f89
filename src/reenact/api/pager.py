"""Pager: reads calls with their bodies out of the store and writes them as Helicone's rows."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

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
_BATCH_CALLS, _BATCH_BYTES = 25, 1024 * 1024
"""How much is read at once: what an answer holds in memory, and what the interpreter has to look through meanwhile."""


class Pager(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one answer are written."""

    calls: CallStore
    organisation_id: str
    secret: bytes
    origin: str
    """Of this server as whoever asks reaches it; no slash at the end."""
    now_s: float
    typed_scores: bool = False

    def page(self, calls: Sequence[Call]) -> Iterator[bytes]:
        """Yield the answer for a list of *calls* in pieces, each read and encoded when it is asked for."""
        return listed(self._rows(calls))

    def one(self, call: Call, *, with_bodies: bool) -> bytes:
        """Return the answer for one call."""
        [only] = self._rows([call]) if with_bodies else [self._row(call, None)]
        return msgspec.json.encode(Envelope(only))

    def _rows(self, calls: Sequence[Call]) -> Iterator[HeliconeRequest]:
        """Yield *calls* as rows, bodies inline from the first on while they fit."""
        inline = _fitting(calls)
        unpacked = _Unpacker()
        for batch in _batches(calls[:inline]):
            found = self._bodies([call.id for call in batch])
            for call in batch:
                yield self._row(call, unpacked(found[call.id]) if call.id in found else None)
        for call in calls[inline:]:
            yield self._row(call, None)

    def _row(self, call: Call, bodies: Bodies | None) -> HeliconeRequest:
        return row(
            call,
            bodies,
            origin=self.origin,
            signed_body_url=self._address(call.id),
            typed_scores=self.typed_scores,
            asset_urls=self._asset_urls(call.id, bodies),
        )

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


class _Unpacker:
    """Unpacks the bodies of one answer that were compressed, as long as they fit into it."""

    def __init__(self) -> None:
        self._left_bytes = UNPACKED_BYTES

    def __call__(self, bodies: Bodies) -> Bodies:
        """Return *bodies* as they were before they were compressed."""
        request, response = self._open(bodies.request, bodies.request_headers), bodies.response
        if bodies.answer_json is None:
            response = self._open(response, bodies.response_headers)
        return msgspec.structs.replace(
            bodies, request=request, response=response, request_headers=(), response_headers=()
        )

    def _open(self, body: bytes, headers: Sequence[Header]) -> bytes:
        """Return *body* unpacked; as it crossed when it cannot be, or would be too long."""
        try:
            opened = unpack(body, headers, self._left_bytes)
        except InvalidInput:
            return body
        if opened is not body:
            self._left_bytes -= len(opened)
        return opened


def _bytes_of(call: Call) -> int:
    return call.request_body_bytes + call.response_body_bytes


def _fitting(calls: Sequence[Call]) -> int:
    """Return how many calls' bodies fit into one answer, from the first on; the first always does."""
    totals = itertools.accumulate(map(_bytes_of, calls))
    return max(1, sum(total <= INLINE_BYTES for total in totals))


def _batches(calls: Sequence[Call]) -> Iterator[list[Call]]:
    """Yield *calls* in batches of few bytes, or of one call."""
    batch: list[Call] = []
    batch_bytes = 0
    for call in calls:
        batch_bytes += _bytes_of(call)
        if batch and (batch_bytes > _BATCH_BYTES or len(batch) == _BATCH_CALLS):
            yield batch
            batch, batch_bytes = [], _bytes_of(call)
        batch.append(call)
    if batch:
        yield batch

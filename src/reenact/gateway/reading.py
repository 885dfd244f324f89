"""What a request's head says to the gateway, all of it: where the request goes, whose it is, what is to be done with it.

It follows from the head alone, so that it is worked out once for all the requests that have the same.
"""

import msgspec

from reenact.domain.exchange import Header
from reenact.domain.labels import Labels
from reenact.gateway.addressing import TakeName, read_address, read_take
from reenact.gateway.controlling import control
from reenact.gateway.controls import Controls
from reenact.gateway.keying import keyed
from reenact.gateway.labelling import end_to_end, label, value_of
from reenact.gateway.redacting import redact_headers
from reenact.gateway.routing import NotOurs, Rejection, Routes, Target
from reenact.gateway.scope import Scope
from reenact.gateway.vaulting import asked_of

_UPLOADS = ("multipart/", "audio/", "image/", "video/", "application/octet-stream")
_TAKE = b"reenact-take"
_LENGTH = b"content-length"


class HeadReading(msgspec.Struct, frozen=True, kw_only=True):
    """A head that is for a provider."""

    target: Target
    rejection: Rejection | None
    """Why the gateway cannot reach what it names."""
    method: str
    url: str
    """The absolute URL on this gateway, as it was called."""
    labels: Labels
    key: str | None
    """The Helicone key, out of a header or the path."""
    vault: str | None
    """The provider whose key that one stands for, where the call brings none of its own."""
    request_id: str | None
    """The id that the call is to have."""
    headers: tuple[Header, ...]
    """To forward."""
    received: tuple[Header, ...]
    """As they came, those of the connection left out."""
    recorded: tuple[Header, ...]
    """The same, secrets redacted."""
    length_at: int | None
    """Where in both the body's length stands."""
    controls: Controls
    take: TakeName | None
    is_upload: bool
    """Whether the body is files, which nobody has to read before they are passed on."""

    def lists(self, digits: bytes | None) -> tuple[tuple[Header, ...], tuple[Header, ...]]:
        """Return `received` and `recorded` for a request whose body may have another length than the first that was read."""
        at = self.length_at
        if digits is None or at is None or self.received[at][1] == digits:
            return self.received, self.recorded
        length = ((_LENGTH, digits),)
        received, recorded = self.received, self.recorded
        return received[:at] + length + received[at + 1 :], recorded[:at] + length + recorded[at + 1 :]


def read(scope: Scope, routes: Routes) -> HeadReading | NotOurs:
    """Return what the head in *scope* says."""
    headers: list[Header] = scope["headers"]
    host = next((value for name, value in headers if name == b"host"), b"")
    address = read_address(scope["raw_path"])
    route = routes.route(host, address.path, scope["query_string"], headers)
    if isinstance(route, NotOurs):
        return route
    target = route.target if isinstance(route, Rejection) else route
    labelled = label(headers)
    labels = labelled.labels
    if address.session_id is not None and labels.session_id is None:
        labels = msgspec.structs.replace(labels, session_id=address.session_id)
    received = end_to_end(headers)
    controls = control(headers)
    if labelled.notes:
        controls = msgspec.structs.replace(controls, notes=(*labelled.notes, *controls.notes))
    key = labelled.helicone_key or target.path_key
    name = value_of(headers, _TAKE)
    take = address.take or (None if name is None else read_take(name))
    called = target.called.decode("latin-1")
    return HeadReading(
        target=target,
        rejection=route if isinstance(route, Rejection) else None,
        method=scope["method"],
        url=f"{scope['scheme']}://{value_of(headers, b'host') or 'localhost'}{called}",
        labels=labels,
        key=key,
        vault=asked_of(key, labelled.headers),
        # An agent that runs again may give the ids that it gave before: the recorded calls are not to be overwritten.
        request_id=labelled.request_id if take is None else None,
        headers=keyed(labelled.headers, target.auth, target.target),
        received=received,
        recorded=redact_headers(received),
        length_at=next((at for at, header in enumerate(received) if header[0] == _LENGTH), None),
        controls=controls,
        take=take,
        is_upload=(value_of(labelled.headers, b"content-type") or "").lower().startswith(_UPLOADS),
    )

"""Say how a call is answered that a patch has fail or break off; nobody is asked."""

import re
from itertools import islice

import msgspec

from reenact.dialects.registry import find_dialect
from reenact.domain.exchange import Chunk, Ending, Exchange, Handling, Header
from reenact.domain.message import Json
from reenact.domain.patch import Fault

_EVENT_END = re.compile(rb"\r?\n\r?\n")
_WORDS = {429: "Too many requests.", 500: "The server had an error.", 503: "The server is overloaded."}
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_GOOGLE = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def fault_in(fault: Fault) -> str:
    """Return why *fault* can mean nothing, in words; empty when it means something."""
    if fault.status is not None and fault.cut_after is not None:
        return "a fault is either a status or an answer that is cut"
    if fault.retry_after_s is not None and fault.status is None:
        return "retry_after_s goes with a status"
    if fault.status is None and fault.cut_after is None and not fault.delay_ms:
        return "a fault needs delay_ms, status or cut_after"
    return ""


def asks_nobody(fault: Fault | None) -> bool:
    """Return whether a call with this fault is asked of nobody."""
    return fault is not None and (fault.status is not None or fault.cut_after is not None)


def faulted(source: Exchange, fault: Fault, provider: str, path: str) -> Exchange:
    """Return the recorded exchange as it goes with *fault*, asked of *provider* under *path*."""
    if fault.status is None:
        body = _cut(source, fault.cut_after or 0)
        detail = f"The patch cuts the answer after {len(body)} of {len(source.response_body)} bytes."
        return msgspec.structs.replace(
            source,
            response_body=body,
            chunks=(Chunk(body_bytes=len(body), after_us=0),) if body else (),
            ending=Ending.PROVIDER_CUT,
            detail=detail,
            handling=Handling(attempts=0, played_from=source.id),
        )
    body = msgspec.json.encode(_shaped(source.method, provider, path, fault.status))
    return msgspec.structs.replace(
        source,
        status=fault.status,
        response_headers=_headers(fault, body),
        response_body=body,
        chunks=(Chunk(body_bytes=len(body), after_us=0),),
        ending=Ending.REFUSED,
        detail=f"The patch has it fail with HTTP {fault.status}.",
        handling=Handling(attempts=0),
    )


def _cut(source: Exchange, count: int) -> bytes:
    """Return the first *count* events of a streamed answer, or bytes of another one."""
    headers = dict(source.response_headers)
    body = source.response_body
    if not headers.get(b"content-type", b"").startswith(b"text/event-stream") or b"content-encoding" in headers:
        return body[:count]
    ends = [found.end() for found in islice(_EVENT_END.finditer(body), count)]
    return body[: ends[-1]] if ends else b""


def _headers(fault: Fault, body: bytes) -> tuple[Header, ...]:
    later = () if fault.retry_after_s is None else ((b"retry-after", b"%d" % fault.retry_after_s),)
    return ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *later)


def _shaped(method: str, provider: str, path: str, status: int) -> Json:
    """Return an error in the shape of the provider's own (API references of OpenAI, Anthropic and Gemini, 2026-11)."""
    dialect = find_dialect(provider, method, path)
    name = dialect.name if dialect else ""
    message = _WORDS.get(status, f"The patch has this call fail with HTTP {status}.")
    kind = _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    if name == "anthropic_messages":
        return {"type": "error", "error": {"type": "overloaded_error" if status == 529 else kind, "message": message}}
    if name == "gemini":
        return {"error": {"code": status, "message": message, "status": _GOOGLE.get(status, "INTERNAL")}}
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}

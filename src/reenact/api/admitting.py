"""Admitting: which requests are let in, decided from their head alone.

A server on loopback that asks for no key must not be reachable by a web page the user happens to look at. Two things keep it
so: the Host must be this machine's or the configured one (else a rebound DNS name would reach it), and a request that may
change something must not come from another site's page (Origin, Sec-Fetch-Site; browsers send them, programs do not).
"""

import base64
import binascii
import ipaddress
import urllib.parse

from reenact.errors import Unauthenticated

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Return whether *host*, a name or an address without a port, is this machine itself."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def asks_no_key(bound_host: str, public_url: str, *, require_key: bool) -> bool:
    """Return whether a server is for this machine alone, so that requests without a valid key may be let in."""
    public_host = urllib.parse.urlsplit(public_url).hostname
    return not require_key and is_loopback(bound_host) and (public_host is None or is_loopback(public_host))


def is_own_host(host_header: str, public_url: str) -> bool:
    """Return whether a Host header names this machine, or the configured address."""
    if urllib.parse.urlsplit(public_url).netloc.lower() == host_header.lower() != "":
        return True
    try:
        return is_loopback(urllib.parse.urlsplit(f"//{host_header}").hostname or "")
    except ValueError:
        return False


def is_from_elsewhere(
    method: str, host_header: str, origin: str | None, fetch_site: str | None, public_url: str
) -> bool:
    """Return whether a request that may change something was sent by a page of another site."""
    if method in SAFE:
        return False
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return True
    if origin is None:
        return False
    sender = urllib.parse.urlsplit(origin)
    return sender.netloc.lower() not in (host_header.lower(), urllib.parse.urlsplit(public_url).netloc.lower()) or (
        sender.netloc == ""
    )


def key_of(authorization: str | None, helicone_auth: str | None) -> str | None:
    """Return the key of this server that a request carries; None when it carries none.

    `Helicone-Auth: Bearer KEY`; else `Authorization: Bearer KEY`, the last one of `Bearer PROVIDER_KEY, Bearer KEY` (surface
    1.1); else the password of `Authorization: Basic`: what a browser asks its user for.

    Raises:
        Unauthenticated: Helicone-Auth is not well formed.
    """
    if helicone_auth is not None and helicone_auth.strip():
        if (key := _bearer(helicone_auth)) is None:
            raise Unauthenticated("API Key is not well formed: send `Helicone-Auth: Bearer <key>`.")
        return key
    given = (authorization or "").strip()
    if given.lower().startswith("basic "):
        return _password(given[len("basic ") :].strip())
    return _bearer(given.rpartition(",")[2])


def is_bearer(authorization: str | None, helicone_auth: str | None) -> bool:
    """Return whether the key that a request carries is one that its sender had to know, not one its browser keeps."""
    return any((header or "").strip().lower().startswith("bearer ") for header in (authorization, helicone_auth))


def _bearer(text: str) -> str | None:
    scheme, _, token = text.strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _password(encoded: str) -> str | None:
    """Return the password in Basic credentials (RFC 7617)."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None

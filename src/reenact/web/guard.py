"""Guard: lets a visitor in or shows the door, before a page is read.

What a page of another site may have sent is turned away before, by the guard of the whole app.
"""

import asyncio

from litestar import Request
from litestar.datastructures import State

from reenact.access.authenticating import need_read, need_write
from reenact.access.principal import Principal
from reenact.errors import Unauthenticated
from reenact.web.pages.login import COOKIE
from reenact.web.parts import Parts, Visit
from reenact.web.signing import Claim, read_token

AnyRequest = Request[object, object, State]


class Guard:
    """Decides for every page."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def visit(self, request: AnyRequest) -> Visit:
        """Return who visits, after what was recorded until now can be read.

        Raises:
            Unauthenticated: a key is needed, and none opened the door.
            Forbidden: the key may not do this.
        """
        signed_in = await self._signed_in(request)
        principal = signed_in or (self._parts.local if self._parts.keyless else None)
        if principal is None:
            raise Unauthenticated("Sign in with an API key.")
        need_read(principal)
        if request.method == "POST":
            need_write(principal)
        await self._parts.settle()
        origin = self._parts.public_url or str(request.base_url)
        return Visit(
            parts=self._parts, principal=principal, is_signed_in=signed_in is not None, origin=origin.rstrip("/")
        )

    async def _signed_in(self, request: AnyRequest) -> Principal | None:
        """Return whom the cookie names, while their key still works."""
        claim = read_token(self._parts.secret, request.cookies.get(COOKIE, ""), now_us=self._parts.clock())
        return await asyncio.to_thread(self._holder, claim) if claim else None

    def _holder(self, claim: Claim) -> Principal | None:
        for record in self._parts.control.list_keys(claim.organisation_id):
            if record.id == claim.key_id:
                return Principal(
                    organisation_id=record.organisation_id, key_id=record.id, permissions=record.permissions
                )
        return None

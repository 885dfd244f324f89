"""Passer: passes what is not for a provider to the API and the pages, over a socket in the file system.

Calls of takes are passed on, too, where another process than this one knows the record.
"""

from reenact.errors import TooLarge, UpstreamFailed
from reenact.gateway.app import Gateway, take_of
from reenact.gateway.labelling import end_to_end
from reenact.gateway.pool import PooledSource
from reenact.gateway.refusing import refuse, report
from reenact.gateway.scope import Scope
from reenact.gateway.source import UpstreamRequest
from reenact.gateway.visit import Visit

_HOUSE = "http://reenact"


class Passer:
    """Serves a hall: agents' calls go straight to the gateway, all else goes to the house."""

    def __init__(self, gateway: Gateway, house: str, max_body_bytes: int, stage: str | None = None) -> None:
        """Take the gateway, and where else requests go.

        Args:
            gateway: relays.
            house: the path of the socket that the API and the pages answer on.
            max_body_bytes: a larger body is refused.
            stage: the path of the socket that takes are played on; None when *gateway* plays them itself.
        """
        self._gateway = gateway
        self._house = PooledSource(unix_path=house)
        self._stage = None if stage is None else PooledSource(unix_path=stage)
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, visit: Visit) -> None:
        """Answer one request."""
        if not self._gateway.handles(scope):
            await self._pass(scope, visit, self._house)
        elif self._stage is not None and take_of(scope) is not None:
            await self._pass(scope, visit, self._stage)
        else:
            await self._gateway(scope, visit)

    async def close(self) -> None:
        """Close the connections to the house and to the stage."""
        await self._house.close()
        if self._stage is not None:
            await self._stage.close()

    async def _pass(self, scope: Scope, visit: Visit, to: PooledSource) -> None:
        headers = scope["headers"]
        try:
            request = UpstreamRequest(
                method=scope["method"],
                origin=_HOUSE,
                target=scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b""),
                headers=end_to_end(headers),
                body=await visit.body(self._max_body_bytes),
                host=next((value for name, value in headers if name == b"host"), b""),
            )
            answer = await to.open(request)
        except TooLarge as error:
            await visit.refuse(refuse(413, "request_too_large", error.message))
            return
        except UpstreamFailed as failure:
            await visit.refuse(report(failure, _HOUSE))
            return
        try:
            await visit.start(answer.status, list(end_to_end(answer.headers)))
            async for chunk in answer.chunks():
                await visit.chunk(chunk)
            await visit.end()
        except UpstreamFailed:
            return  # the agent sees that the answer broke off
        finally:
            await answer.close()

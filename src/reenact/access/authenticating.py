"""Whether a request is let in, and for whom it acts."""

from reenact.access.principal import Principal
from reenact.errors import Forbidden, Unauthenticated


def admit(
    *, key: str | None, holder: Principal | None, is_loopback: bool, require_key: bool, local: Principal
) -> Principal:
    """Return who a request acts for: the *holder* of its *key*, or *local* where no key is needed.

    On loopback a key that is not known is let pass as *local* unless keys are required: tools carry keys of other servers.

    Raises:
        Unauthenticated: a key is needed, and none came or one that is not known.
    """
    if holder is not None:
        return holder
    if is_loopback and not require_key:
        return local
    if key is None:
        raise Unauthenticated("A key is needed: send `Helicone-Auth: Bearer <key>`.")
    raise Unauthenticated("This server does not know the key.")


def need_read(principal: Principal) -> None:
    """Let pass who may read.

    Raises:
        Forbidden: they may not.
    """
    if not principal.may_read:
        raise Forbidden("This key may not read.")


def need_write(principal: Principal) -> None:
    """Let pass who may record and change.

    Raises:
        Forbidden: they may not.
    """
    if not principal.may_write:
        raise Forbidden("This key may not write.")

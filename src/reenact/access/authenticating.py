"""Whether a request is let in, and for whom it acts."""

from reenact.access.keys import vaulted_provider
from reenact.access.principal import Principal
from reenact.errors import Forbidden, Unauthenticated


def admit(
    *,
    key: str | None,
    holder: Principal | None,
    is_loopback: bool,
    require_key: bool,
    local: Principal,
    brings_login: bool = False,
) -> Principal:
    """Return who a request acts for: the *holder* of its *key*, or *local* where no key is needed.

    On loopback a key that is not known is let pass as *local* unless keys are required: tools carry keys of other servers. One
    that stands for a provider's key is not: there would be none to put in its place. *brings_login* says that a request has the
    headers of a dashboard's session.

    Raises:
        Unauthenticated: a key is needed, and none came or one that is not known.
    """
    if holder is not None:
        return holder
    if key is not None and vaulted_provider(key) is not None:
        raise Unauthenticated(
            "This server does not know the key. Keys that stand for a provider's are made here: POST /v1/api-keys/proxy-key."
        )
    if is_loopback and not require_key:
        return local
    if key is None and brings_login:
        raise Unauthenticated(
            "There are no dashboard sessions here: in place of Helicone-JWT or Helicone-Manual-Access-Key send "
            "`Helicone-Auth: Bearer <key>`. POST /v1/api-keys makes keys."
        )
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

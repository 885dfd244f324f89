"""Tests of `access.authenticating`."""

import pytest

from reenact.access.authenticating import admit, need_read, need_write
from reenact.access.keys import issue_vault_key, vaulted_provider
from reenact.access.principal import Principal
from reenact.errors import Forbidden, Unauthenticated

LOCAL = Principal(organisation_id="first", key_id=None, permissions="rw")
HOLDER = Principal(organisation_id="one", key_id="k1", permissions="r")


@pytest.mark.parametrize("is_loopback", [True, False])
@pytest.mark.parametrize("require_key", [True, False])
def test_the_holder_of_a_key_is_let_in_anywhere(is_loopback: bool, require_key: bool) -> None:
    """A known key says for whom a request acts."""
    assert HOLDER == admit(key="k", holder=HOLDER, is_loopback=is_loopback, require_key=require_key, local=LOCAL)


@pytest.mark.parametrize("key", [None, "of another server"])
def test_loopback_needs_no_key_unless_told(key: str | None) -> None:
    """On a laptop everything goes to the first organisation."""
    assert admit(key=key, holder=None, is_loopback=True, require_key=False, local=LOCAL) == LOCAL


@pytest.mark.parametrize(("is_loopback", "require_key"), [(True, True), (False, False), (False, True)])
@pytest.mark.parametrize("key", [None, "unknown"])
def test_elsewhere_a_known_key_is_needed(key: str | None, is_loopback: bool, require_key: bool) -> None:
    """Off loopback, and wherever keys are required, nobody is let in without one; no message shows the key."""
    with pytest.raises(Unauthenticated) as refused:
        admit(key=key, holder=None, is_loopback=is_loopback, require_key=require_key, local=LOCAL)
    assert "unknown" not in refused.value.message


def test_a_dashboards_session_and_a_strange_vault_key_are_told_what_to_use() -> None:
    """The one where a key is needed; the other everywhere, since there is no provider's key to put in its place."""
    with pytest.raises(Unauthenticated, match=r"in place of Helicone-JWT.* send `Helicone-Auth: Bearer <key>`"):
        admit(key=None, holder=None, is_loopback=True, require_key=True, local=LOCAL, brings_login=True)
    key = issue_vault_key("openai", "123e4567-e89b-12d3-a456-426614174000")
    assert "openai" == vaulted_provider(key)
    assert (None, "") == (vaulted_provider("sk-helicone-a"), vaulted_provider("sk-helicone-proxy-x"))
    with pytest.raises(Unauthenticated, match="/v1/api-keys/proxy-key"):
        admit(key=key, holder=None, is_loopback=True, require_key=False, local=LOCAL)


def test_permissions_bound_what_a_key_does() -> None:
    """`r` reads, `w` writes, `rw` both."""
    writer = Principal(organisation_id="one", key_id="k2", permissions="w")
    need_read(HOLDER)
    need_read(LOCAL)
    need_write(writer)
    need_write(LOCAL)
    with pytest.raises(Forbidden):
        need_write(HOLDER)
    with pytest.raises(Forbidden):
        need_read(writer)

"""Tests of `access.keys`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reenact.access.keys import KEY_BYTES, KeyRecord, hash_key, issue_key, principal_of
from reenact.access.principal import Principal
from reenact.errors import InvalidInput

RECORD = KeyRecord(
    id="k1",
    organisation_id="one",
    name="agent",
    permissions="w",
    key_hash=hash_key("secret"),
    last_four="cret",
    created_us=1,
)


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_keys_have_the_shape_that_clients_know(random_bytes: bytes) -> None:
    """Four groups of seven after `sk-helicone` (surface 1.1)."""
    assert re.fullmatch(r"sk-helicone(-[a-z0-9]{7}){4}", issue_key(random_bytes))


def test_other_bytes_make_another_key() -> None:
    """All of the randomness counts, and the same bytes make the same key."""
    low, high = bytes(KEY_BYTES - 1) + b"\1", b"\1" + bytes(KEY_BYTES - 1)
    assert len({issue_key(low), issue_key(high), issue_key(bytes(KEY_BYTES)), issue_key(low)}) == 3
    with pytest.raises(InvalidInput):
        issue_key(b"short")


def test_a_key_is_known_by_its_hash_alone() -> None:
    """Only the very key is the record's."""
    holder = Principal(organisation_id="one", key_id="k1", permissions="w")
    assert principal_of("secret", RECORD) == holder
    assert (principal_of("Secret", RECORD), principal_of("secret", None)) == (None, None)
    assert "secret" not in repr(RECORD)


def test_any_text_can_be_asked_for() -> None:
    """A header may hold anything; it is no key, and no error."""
    assert principal_of("\udcff odd", RECORD) is None

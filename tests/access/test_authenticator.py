"""Tests of `access.authenticator`."""

from reenact.access.authenticator import Authenticator
from reenact.access.keys import KeyRecord, hash_key
from reenact.access.principal import Principal


class Shelf:
    """Keys by hash, and how often they were asked for; its clock stands still until it is moved."""

    def __init__(self) -> None:
        self.records: dict[bytes, KeyRecord] = {}
        self.asked = 0
        self.now_s = 0.0

    def find(self, key_hash: bytes) -> KeyRecord | None:
        """Look a key up."""
        self.asked += 1
        return self.records.get(key_hash)

    def add(self, key: str) -> None:
        """Keep a key."""
        self.records[hash_key(key)] = KeyRecord(
            id=key, organisation_id="one", name="", permissions="rw", key_hash=hash_key(key), last_four="", created_us=0
        )


def test_an_answer_is_remembered_for_a_moment() -> None:
    """Whether a key is known or not, the database is asked once in that time; then it is believed again."""
    shelf = Shelf()
    shelf.add("known")
    asked = Authenticator(shelf.find, clock=lambda: shelf.now_s, remember_s=2)
    holder = Principal(organisation_id="one", key_id="known", permissions="rw")
    assert [asked.holder("known") for _ in range(3)] == [holder] * 3
    assert [asked.holder("new") for _ in range(3)] == [None] * 3
    assert shelf.asked == 2
    shelf.add("new")
    del shelf.records[hash_key("known")]
    assert (asked.holder("known"), asked.holder("new")) == (holder, None)
    shelf.now_s = 2.0
    assert (asked.holder("known"), getattr(asked.holder("new"), "key_id", None)) == (None, "new")


def test_strangers_do_not_fill_the_memory() -> None:
    """Twenty thousand unknown keys leave the known one known."""
    shelf = Shelf()
    shelf.add("known")
    asked = Authenticator(shelf.find, clock=lambda: 0.0)
    assert {asked.holder(f"stranger {number}") for number in range(20_000)} == {None}
    assert len(asked._known) <= 10_000
    assert asked.holder("known") is not None

"""Tests of `store.vocabulary`: it never changes, and what was compressed without it is read all the same."""

import zstandard

from reenact.domain.digesting import digest
from reenact.store.packing import compressor, decompressor, pack_part, unpack_part
from reenact.store.vocabulary import VOCABULARY

PART = b'{"role":"assistant","content":"This is what you should do first.","tool_calls":[{"id":"call_1","type":"function"}]}'


def test_it_is_the_one_that_stores_were_written_with() -> None:
    """One other byte, and no body could be read again."""
    assert (len(VOCABULARY), digest(VOCABULARY).hex()) == (8183, "272a564bcbafba87b2a1b151a3cd06e3")


def test_what_it_made_shorter_comes_back() -> None:
    """By it, and by nothing else."""
    short, plain = pack_part(PART, compressor()), pack_part(PART, zstandard.ZstdCompressor())
    assert len(short) < len(plain)
    assert [PART, PART] == [unpack_part(one, decompressor()) for one in (short, plain)]

"""Reading controls out of headers."""

import pytest

from reenact.domain.exchange import Header
from reenact.gateway.controlling import control
from reenact.gateway.controls import (
    NONE,
    CacheUse,
    Controls,
    Fallback,
    Fault,
    Mapping,
    Policy,
    Retries,
    Screening,
    StatusRange,
    Unit,
)


def headers(**values: str) -> list[Header]:
    """Return headers with a dash for each underscore."""
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in values.items()]


def test_a_call_that_switches_on_nothing_has_no_controls() -> None:
    """Labels, keys and plain headers switch nothing on: the one object NONE is given."""
    plain = headers(
        authorization="Bearer x", helicone_session_id="s", cache_control="max-age=5", helicone_auth="Bearer y"
    )

    assert control(plain) is NONE


@pytest.mark.parametrize("value", ["", "undefined", "null", "  "])
def test_a_value_that_javascript_did_not_have_is_absent(value: str) -> None:
    """Empty, undefined and null switch on nothing and leave no note."""
    assert control(headers(helicone_cache_enabled=value, helicone_retry_num=value)) is NONE


def test_flags_are_true_for_the_word_true_alone() -> None:
    """`true` switches on, `false` does not, anything else is noted."""
    wanted = headers(
        helicone_omit_request="true",
        helicone_omit_response="false",
        helicone_stream_usage="yes",
        reenact_stream_force_format="true",
        helicone_moderations_enabled="true",
        helicone_increase_timeout="true",
    )

    expected = Controls(
        omits_request=True,
        forces_format=True,
        moderates=True,
        is_patient=True,
        notes=("Helicone-Stream-Usage: 'yes' is neither true nor false; it was ignored.",),
    )
    assert expected == control(wanted)


def test_the_cache_is_read_with_all_its_words() -> None:
    """Seed, slots, age and ignored keys are read; the headers themselves are kept for the key."""
    wanted = headers(
        helicone_cache_enabled="true",
        helicone_cache_seed="s1",
        helicone_cache_bucket_max_size="3",
        helicone_cache_control="max-age=60, s-maxage=7",
        helicone_cache_ignore_keys="id, user",
    )

    expected = CacheUse(
        reads=True,
        saves=True,
        seed="s1",
        slots=3,
        max_age_s=7,
        ignored_keys=("id", "user"),
        headers=tuple(sorted(wanted)),
    )
    assert Controls(cache=expected) == control(wanted)


def test_one_side_of_the_cache_can_be_switched_on_alone() -> None:
    """Read and save are told apart."""
    reading = control(headers(helicone_cache_read="true")).cache
    saving = control(headers(helicone_cache_save="true")).cache

    assert reading is not None
    assert saving is not None
    assert (True, False) == (reading.reads, reading.saves)
    assert (False, True) == (saving.reads, saving.saves)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max-age=31536001", 31_536_000), ("MAX-AGE = 5", 5), ("public, s-maxage=9", 9), ("no-cache", 604_800)],
)
def test_the_plain_cache_control_header_counts_too(text: str, expected: int) -> None:
    """Its ages are read, capped at a year; other words in it are not for us."""
    cache = control(headers(helicone_cache_enabled="true", cache_control=text)).cache

    assert cache is not None
    assert expected == cache.max_age_s


@pytest.mark.parametrize("text", ['["a","b"]', "a,b", " a , b ,"])
def test_ignored_keys_are_a_list_or_an_array(text: str) -> None:
    """Both forms that users send are understood."""
    cache = control(headers(helicone_cache_enabled="true", helicone_cache_ignore_keys=text)).cache

    assert cache is not None
    assert ("a", "b") == cache.ignored_keys


def test_a_bucket_of_more_than_twenty_is_the_documented_error() -> None:
    """The call is not relayed; a size that is no number at all is only noted."""
    fault = Fault(500, "invalid_cache", "Cache bucket size cannot be greater than 20")
    enormous = control(headers(helicone_cache_enabled="true", helicone_cache_bucket_max_size="21"))
    odd = control(headers(helicone_cache_enabled="true", helicone_cache_bucket_max_size="0"))

    assert fault == enormous.fault
    assert odd.fault is None
    assert ("Helicone-Cache-Bucket-Max-Size: '0' is no whole number from 1; it was ignored.",) == odd.notes


def test_retries_are_read_with_their_defaults() -> None:
    """What is not said is as documented, what is malformed is noted and as documented, too."""
    assert Controls(retries=Retries()) == control(headers(helicone_retry_enabled="true"))
    wanted = headers(
        helicone_retry_enabled="true",
        helicone_retry_num="2",
        helicone_retry_factor="1.5",
        helicone_retry_min_timeout="many",
        helicone_retry_max_timeout="99",
    )
    expected = Controls(
        retries=Retries(count=2, factor=1.5, min_ms=1000, max_ms=99),
        notes=("Helicone-Retry-Min-Timeout: 'many' is no whole number from 0 to 600000; it was ignored.",),
    )
    assert expected == control(wanted)


@pytest.mark.parametrize("factor", ["nan", "inf", "-1", "1e9", "two"])
def test_an_odd_factor_is_noted(factor: str) -> None:
    """Not a number, negative or enormous: the default is used."""
    controls = control(headers(helicone_retry_enabled="true", helicone_retry_factor=factor))

    assert Retries() == controls.retries
    assert 1 == len(controls.notes)


def test_a_policy_is_read_and_a_malformed_one_is_noted() -> None:
    """A malformed policy limits nothing."""
    read = control(headers(helicone_ratelimit_policy="10;w=60;u=cents;s=user"))
    odd = control(headers(helicone_ratelimit_policy="10 per minute"))

    assert Controls(policy=Policy(quota=10, window_s=60, unit=Unit.CENTS, segment="user")) == read
    assert odd.policy is None
    assert 1 == len(odd.notes)


def test_fallbacks_are_read() -> None:
    """Statuses and ranges, headers and what to change in the body."""
    text = (
        '[{"target-url":"https://a.example","headers":{"Authorization":"Bearer k"},"onCodes":[429,{"from":500,"to":599}]},'
        '{"target-url":"https://b.example","onCodes":[],"bodyKeyOverride":{"model":"m"},"more":1}]'
    )

    expected = (
        Fallback("https://a.example", {"Authorization": "Bearer k"}, (429, StatusRange(500, 599))),
        Fallback("https://b.example", body_override={"model": "m"}),
    )
    assert expected == control(headers(helicone_fallbacks=text)).fallbacks


@pytest.mark.parametrize("text", ["nonsense", "{}", "[]", '[{"headers":{"authorization":"secret"}}]', "[" * 5000])
def test_fallbacks_that_cannot_be_read_are_an_error_without_their_keys(text: str) -> None:
    """The documented error names the place and never shows a value."""
    fault = control(headers(helicone_fallbacks=text)).fault

    assert fault is not None
    assert (400, "invalid_fallbacks") == (fault.status, fault.kind)
    assert "secret" not in fault.message


def test_screening_and_mapping_are_read() -> None:
    """The old name of the security header counts; `Advanced` alone switches on nothing."""
    assert Screening.BASIC is control(headers(helicone_prompt_security_enabled="true")).screening
    both = headers(helicone_llm_security_enabled="true", helicone_llm_security_advanced="true")
    assert Screening.ADVANCED is control(both).screening
    assert Screening.NONE is control(headers(helicone_llm_security_advanced="true")).screening
    assert Mapping.NO_MAPPING is control(headers(helicone_gateway_body_mapping="no_mapping")).mapping
    assert 1 == len(control(headers(helicone_gateway_body_mapping="other")).notes)


def test_odd_prompt_modes_are_noted_with_a_bounded_value() -> None:
    """A long value is not kept whole."""
    (note,) = control(headers(helicone_prompt_mode="x" * 5000)).notes

    assert len(note) < 250


def test_what_is_no_text_is_noted_and_never_raises() -> None:
    """Bytes that are not UTF-8 are malformed like any other."""
    assert 1 == len(control([(b"helicone-cache-enabled", b"\xff\xfe")]).notes)


def test_a_fallback_never_shows_its_keys() -> None:
    """What is logged of one is its target."""
    assert "Fallback('https://a.example')" == repr(Fallback("https://a.example", {"authorization": "secret"}))

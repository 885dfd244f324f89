"""Each page as a visitor gets it: over a socket, from real stores."""

import re
from pathlib import Path

import httpx2
import pytest

from reenact.domain.call import Kind
from reenact.domain.exchange import Ending, Gap, Handling
from reenact.domain.replay import State
from reenact.web.renderer import SECURITY_HEADERS
from tests.web.house import House, a_house
from tests.web.reading import Read
from tests.web.recordings import SYSTEM, a_debate, a_reading, said, user

FIRST = "00000001-1111-4111-8111-111111111111"


def read(http: httpx2.Client, path: str, status: int = 200) -> Read:
    """Return a page."""
    answer = http.get(path)
    assert answer.status_code == status, answer.text
    return Read(answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/calls", "/sessions/debate-1", "/sessions/debate-1?by=time", f"/calls/{FIRST}", "/replays?session=debate-1",
        "/compare?left=debate-1&right=debate-2", "/sessions/none", "/login",
    ],
)  # fmt: skip
def test_every_page_is_sound(http: httpx2.Client, path: str) -> None:
    """Tags nest, one heading, a skip link to the main part, labelled fields, captions, and the headers that keep it safe."""
    answer = http.get(path)
    page = Read(answer.text)
    names = [tag for tag, _ in page.tags]
    ids = [given["id"] for _, given in page.tags if "id" in given]

    assert page.faults == []
    assert (names.count("h1"), names.count("main"), page.links["Skip to content"]) == (1, 1, "#main")
    assert names.count("table") == names.count("caption")
    assert len(ids) == len(set(ids))
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert [given for tag, given in page.tags if tag == "th" and "scope" not in given] == []


def test_the_front_page_lists_sessions(http: httpx2.Client) -> None:
    """Newest first, with where a take came from."""
    page = read(http, "/")

    assert list(page.links)[4:7] == ["Replay of AI Debate", "debate-1", "AI Debate"]
    assert "debate-2 · take of debate-1" in page.words
    assert "$0.000252" in page.words


def test_the_front_page_searches(http: httpx2.Client) -> None:
    """By part of id or name, or by the exact name; a miss says so."""
    assert "Replay of AI Debate" not in read(http, "/?q=debate-1").links
    assert list(read(http, "/?name=AI+Debate").links)[4:] == ["Clear", "AI Debate"]
    assert read(http, "/?q=zebra").links["Show all sessions"] == "/"


def test_an_empty_server_shows_how_to_begin(tmp_path: Path) -> None:
    """The lines to paste carry this server's own address."""
    with a_house(tmp_path) as house, httpx2.Client(base_url=house.url, trust_env=False) as http:
        assert f'base_url="{house.url}/v1/gateway/oai/v1"' in read(http, "/").words
        assert "Nothing recorded yet" in read(http, "/calls").words


def test_lost_calls_are_told(house: House, http: httpx2.Client) -> None:
    """A gap is no secret."""
    house.calls.save(
        [], gaps=[Gap(organisation_id="org", first_us=1, last_us=2, count=3, reason="No space left on device")]
    )

    assert "3 calls could not be recorded" in read(http, "/").words


def test_lists_have_pages(house: House, http: httpx2.Client) -> None:
    """Fifty sessions and a hundred calls at a time."""
    house.calls.save([a_reading(1000 + at, [user("x")], said("y"), session=f"s{at}", name=None) for at in range(120)])
    first = read(http, "/")
    second = read(http, first.links["Older →"])

    assert (second.links["← Newer"], second.links["Older →"]) == ("/", "/?offset=100")
    assert read(http, "/calls").links["Older →"] == "/calls?offset=100"


def test_calls_can_be_searched(house: House, http: httpx2.Client) -> None:
    """By words, and by failure; a call of no session is here too."""
    house.calls.save([a_reading(70, [user("x")], said("zebra"), session=None, prompt_id="lone", status=500)])

    assert "no session" in read(http, "/calls?failed=true").words
    assert "lone" in read(http, "/calls?q=zebra").links
    assert "lone" not in read(http, "/calls?q=Regulation").links


def test_a_session_page_shows_sums_tree_and_transcript(http: httpx2.Client) -> None:
    """Folders with sums, calls in their place, each message once."""
    page = read(http, "/sessions/debate-1")

    assert "Calls 3 Failed 0 Tokens in 240 Tokens out 51 Cost $0.000252" in page.words
    assert "▾ debate/ 3 calls 240 → 51" in page.words
    assert page.words.count("Climate change is a natural cycle.") == 1
    assert "3 messages of history, shown above" in page.words
    assert "1 idle gap folded" in page.words
    assert page.links["Replay with a change"] == "/replays?session=debate-1"


def test_a_take_leads_to_its_source(http: httpx2.Client) -> None:
    """And to the comparison."""
    assert read(http, "/sessions/debate-2").links["Compare with its source"] == "/compare?left=debate-1&right=debate-2"


def test_a_long_transcript_has_pages(house: House, http: httpx2.Client) -> None:
    """Forty calls at a time; the second page does not repeat the first."""
    history = [SYSTEM]
    readings = []
    for at in range(60):
        history = [*history, user(f"question {at}")]
        readings.append(a_reading(2000 + at, history, said(f"answer {at}"), session="long"))
        history = [*history, said(f"answer {at}")]
    house.calls.save(readings)
    later = read(http, read(http, "/sessions/long").links["Later calls →"])

    assert "Calls 41 to 60 of 60." in later.words
    assert "question 39" not in later.words
    assert later.words.count("question 45") == 1


def test_a_thousand_calls_stay_light(house: House, http: httpx2.Client) -> None:
    """Under a megabyte of HTML, with every call of the tree."""
    house.calls.save(
        [
            a_reading(3000 + at, [SYSTEM, user("q" * 300)], said("a" * 300), session="big", path=f"/a/{at % 50}")
            for at in range(1000)
        ]
    )
    answer = http.get("/sessions/big")

    assert len(answer.content) < 1_000_000
    assert len(set(re.findall(r"/calls/[0-9a-f-]{36}", answer.text))) > 940


def test_a_call_page_shows_bytes_and_meaning(http: httpx2.Client) -> None:
    """The conversation, the labels, and the exact bytes to download as a file that no browser runs."""
    page = read(http, f"/calls/{FIRST}")
    sent = http.get(page.links["Download the exact bytes"].replace("/response", "/request"))

    assert "asks for find_sources" in page.words
    assert "environment test" in page.words
    assert sent.content.startswith(b'{"model": "gpt-4o-mini", "messages"')
    assert (sent.headers["content-type"], sent.headers["content-disposition"]) == (
        "application/octet-stream",
        'attachment; filename="request"',
    )


def test_a_broken_call_tells_its_ending(house: House, http: httpx2.Client) -> None:
    """A stream that was cut off, and an event that no dialect reads."""
    house.calls.save(
        [
            a_reading(80, [user("x")], said("half"), ending=Ending.PROVIDER_CUT, detail="The provider closed."),
            a_reading(81, [], said(""), dialect="opaque", kind=Kind.OPAQUE, cost_nanodollars=None),
        ]
    )

    assert "provider cut. The provider closed." in read(http, "/calls/00000050-1111-4111-8111-111111111111").words
    assert "unknown" in read(http, "/calls/00000051-1111-4111-8111-111111111111").words


def test_a_call_tells_what_the_gateway_did_with_it(house: House, http: httpx2.Client) -> None:
    """Whose answer it was given, how often providers were asked, what was changed, left out or not understood."""
    handling = Handling(
        attempts=3,
        cache_reference_id=FIRST,
        fallback_index=1,
        changed_by=("Helicone-Stream-Usage",),
        omitted_request=True,
        omitted_response=True,
        notes=("Helicone-Odd: <b>'x'</b> is odd; it was ignored.",),
    )
    odd = a_reading(900, [user("Hm?")], said("Yes."), handling=handling)
    house.calls.save([odd])
    page = read(http, f"/calls/{odd.call.id}")

    assert f"/calls/{FIRST}" == page.links["this call"]
    for sentence in (
        "Providers were asked 3 times.",
        "Answered by target 1 of the call's fallbacks, counted from 0.",
        "was changed by Helicone-Stream-Usage; below is what the provider was given.",
        "The request's body was not kept, as the agent wished.",
        "The answer's body was not kept, as the agent wished.",
        "Helicone-Odd: <b>'x'</b> is odd; it was ignored.",
    ):
        assert sentence in page.words
    assert "Providers were asked" not in read(http, f"/calls/{FIRST}").words


def test_a_comparison_marks_what_changed(http: httpx2.Client) -> None:
    """Words by ins and del, tools by place, equal answers folded, sums with shares, and no verdict."""
    page = read(http, "/compare?left=debate-1&right=debate-2")

    assert page.marked["del"][:3] == ["Natural", "follows the carbon we emit", "3"]
    assert page.marked["ins"][:3] == ["As a climatologist I would answer: natural", "is ten times faster", "5"]
    assert "3 of 3 calls stand on both sides; 2 of those differ." in page.words
    assert "+2,450 %" in page.words
    assert "One run a side (n = 1)." in page.words
    assert [given["id"] for _, given in page.tags if given.get("id", "").startswith("pair-")] == [
        "pair-1",
        "pair-2",
        "pair-3",
    ]


def test_two_ticked_sessions_are_compared(http: httpx2.Client) -> None:
    """The list sends the newer first; the older stands on the left. One alone is refused with a reason."""
    assert read(http, "/compare?session=debate-2&session=debate-1").links["Swap sides"] == (
        "/compare?left=debate-2&right=debate-1"
    )
    assert "Choose two sessions" in read(http, "/compare?session=debate-1", 422).words


def test_a_gap_is_shown_as_a_gap(house: House, http: httpx2.Client) -> None:
    """A call that only one side has."""
    house.calls.save(a_debate("short", first=300)[:1])

    assert read(http, "/compare?left=debate-1&right=short").words.count("No call here") == 2


def test_what_is_not_here_is_named(http: httpx2.Client) -> None:
    """Sessions, calls, replays, sides of a comparison."""
    assert "There is no session 'none'." in read(http, "/sessions/none", 404).words
    assert "There is no session 'none'." in read(http, "/compare?left=debate-1&right=none", 404).words
    assert "There is no call 'x'." in read(http, "/calls/x", 404).words
    assert "There is no replay x" in read(http, "/replays/x", 404).words
    assert http.get("/assets/none.css").status_code == 404


def test_a_number_that_is_none_is_refused(http: httpx2.Client) -> None:
    """With a page, not a traceback."""
    assert read(http, "/?offset=x", 400).faults == []


def test_planning_sends_nothing(house: House, http: httpx2.Client) -> None:
    """The plan is shown with its change and cost; only the button beneath it runs it."""
    answer = http.post("/replays?session=debate-1", data={"model": "gpt-4o", "temperature": "0.2", "takes": "2"})
    page = Read(answer.text)

    assert (answer.status_code, page.faults, house.asker.keys) == (200, [], [])
    assert "Ask the model gpt-4o all calls" in page.words
    assert "Calls asked, each take 3 of 3 Takes 2 and 2 of the control Expected cost, all takes $0.012" in page.words
    assert "Run it: ask 3 calls, 4 times" in page.words


def test_a_replay_runs_and_is_shown(house: House, http: httpx2.Client) -> None:
    """The form leads to the replay's page, which shows takes, failures and comparisons; the key is kept nowhere."""
    form = {"append_system": " Be brief.\r\nReally.", "takes": "1", "session_name": "Short", "action": "run"}
    started = http.post("/replays?session=debate-1", data=form | {"key:openai": "sk-typed"})
    assert started.status_code == 303
    for _ in range(1000):
        page = read(http, started.headers["location"])
        if "this page loads itself again" not in page.words:
            break
    (replay,) = house.control.replays_of("org", "debate-1")

    assert replay.state is State.DONE
    assert replay.plan.patch.changes[0].edits[0].text == " Be brief.\nReally."  # type: ignore[union-attr]
    assert house.asker.keys == [{"openai": "sk-typed"}] * 6
    assert "sk-typed" not in str(replay) + str(page.tags)
    assert "6 of 6 calls" in page.words
    assert "Call 2: HTTP 500" in page.words
    take, control = (one.session_id for one in replay.takes)
    assert page.links["Compare with the source"] in {f"/compare?left=debate-1&right={one}" for one in (take, control)}
    assert "Append to the system prompt" in read(http, f"/compare?left=debate-1&right={take}").words
    assert "Compare take 1" in read(http, "/sessions/debate-1").links
    assert "status 200" in read(http, f"/calls/{FIRST}").links
    assert http.post(f"{started.headers['location']}/cancel").headers["location"] == started.headers["location"]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"temperature": "hot"}, "The temperature must be a number"),
        ({"temperature": "true"}, "The temperature must be a number"),
        ({"takes": "0"}, "The number of takes must be from 1 to 100"),
        ({"key:openai": "wrong", "action": "run"}, "The key for openai is wrong."),
    ],
)
def test_a_form_that_cannot_be_understood(http: httpx2.Client, form: dict[str, str], told: str) -> None:
    """It is shown again with a reason, and what was typed stays, but for keys."""
    answer = http.post("/replays?session=debate-1", data={"append_system": "typed before"} | form)

    assert answer.status_code == 422
    assert told in Read(answer.text).words
    assert "typed before" in answer.text
    assert 'value="wrong"' not in answer.text

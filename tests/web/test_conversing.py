"""A transcript shows each message once, where it was first sent."""

from reenact.domain.comparison import Turn
from reenact.domain.message import Answer, Media, Message, Opaque, Prompt, Reasoning, Role, Text, ToolResult, ToolUse
from reenact.web.conversing import Bubble, Piece, answer_bubbles, bubbles, pretty, transcript
from tests.comparison.turns import a_call, a_prompt, an_answer


def a_chat(call_id: str, *texts: str, answer: str) -> Turn:
    """Return a turn whose history is *texts*, users and assistants by turns."""
    return Turn(call=a_call(call_id), prompt=a_prompt(*texts), answer=an_answer(answer))


def shown(turns: list[Turn], *, skip: int = 0) -> list[tuple[int, list[str], list[str]]]:
    """Return per scene how much was repeated, what was asked and what was answered."""
    return [
        (
            scene.repeated,
            [bubble.pieces[0].text for bubble in scene.asked],
            [bubble.pieces[0].text for bubble in scene.answered],
        )
        for scene in transcript(turns, first=1, skip=skip, limit=1000)
    ]


def test_history_is_shown_once() -> None:
    """The second call repeats the first with its answer; only its new question is shown."""
    turns = [a_chat("a", "S", "q1", answer="a1"), a_chat("b", "S", "q1", "a1", "q2", answer="a2")]

    assert shown(turns) == [(0, ["S", "q1"], ["a1"]), (3, ["q2"], ["a2"])]


def test_a_new_system_message_does_not_show_the_history_again() -> None:
    """Only what is new of it."""
    turns = [a_chat("a", "S", "q1", answer="a1"), a_chat("b", "S2", "q1", "a1", "q2", answer="a2")]

    assert shown(turns)[1] == (2, ["S2", "q2"], ["a2"])


def test_the_same_words_later_are_shown_again() -> None:
    """A user who says yes twice says it twice: only the history before the first new turn is folded."""
    turns = [a_chat("a", "S", "yes", answer="a1"), a_chat("b", "S", "yes", "a1", "new", "a2", "yes", answer="a3")]

    assert shown(turns)[1] == (3, ["new", "a2", "yes"], ["a3"])


def test_skipped_turns_count_as_shown() -> None:
    """A later page of a transcript does not repeat the page before."""
    turns = [a_chat("a", "S", "q1", answer="a1"), a_chat("b", "S", "q1", "a1", "q2", answer="a2")]

    assert shown(turns, skip=1) == [(3, ["q2"], ["a2"])]


def test_every_part_has_words() -> None:
    """Each kind of part, and none is ever a link or an image."""
    parts = (
        Text("hello"),
        Text(""),
        Reasoning("hm"),
        ToolUse(id="1", name="find", arguments='{"a":1}'),
        ToolResult(id="1", text="not found", is_error=True),
        Media(kind="image", url="https://evil.example/x.png"),
        Media(kind="audio", media_type="audio/wav", data_base64="AAAA"),
        Opaque('{"type":"odd"}'),
    )
    (bubble,) = bubbles([Message(role=Role.ASSISTANT, parts=parts, name="bo")], 1000)

    assert bubble == Bubble(
        role="assistant",
        name="bo",
        pieces=(
            Piece(kind="text", title="", text="hello"),
            Piece(kind="reasoning", title="", text="hm"),
            Piece(kind="tool_use", title="find", text='{\n  "a": 1\n}'),
            Piece(kind="tool_result", title="", text="not found", is_error=True),
            Piece(kind="media", title="image", text="https://evil.example/x.png"),
            Piece(kind="media", title="audio/wav", text="inline, 3 bytes"),
            Piece(kind="opaque", title="", text='{\n  "type": "odd"\n}'),
        ),
    )


def test_long_parts_are_cut_and_say_so() -> None:
    """What is left out is counted."""
    ((piece,),) = (bubble.pieces for bubble in bubbles([Message(role=Role.USER, parts=(Text("x" * 15),))], 10))

    assert (piece.text, piece.left_out) == ("x" * 10, 5)


def test_answers_of_every_shape() -> None:
    """Choices, an error, JSON without a message, none."""
    one, two = (Message(role=Role.ASSISTANT, parts=(Text(text),)) for text in ("one", "two"))
    error = answer_bubbles(Answer(error="overloaded"), 100)
    json = answer_bubbles(Answer(origin={"data": []}), 100)

    assert [bubble.pieces[0].text for bubble in answer_bubbles(Answer(message=one, alternatives=(two,)), 100)] == [
        "one",
        "two",
    ]
    assert [(bubble.pieces[0].kind, bubble.pieces[0].text) for bubble in (*error, *json)] == [
        ("error", "overloaded"),
        ("opaque", '{\n  "data": []\n}'),
    ]
    assert answer_bubbles(None, 100) == ()


def test_a_call_without_messages_says_so() -> None:
    """An opaque call has a scene too."""
    (scene,) = transcript(
        [Turn(call=a_call("a"), prompt=Prompt(dialect="opaque", model=None), answer=None)], first=7, limit=9
    )

    assert (scene.number, scene.is_readable, scene.asked) == (7, False, ())


def test_pretty() -> None:
    """JSON is indented, the rest stays, and deep nesting breaks nothing."""
    deep = "[" * 100_000

    assert [pretty("[1]"), pretty("[oops"), pretty("5"), pretty(deep)] == ["[\n  1\n]", "[oops", "5", deep]

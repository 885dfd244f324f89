"""Make templates of what is kept: of the body of a version, and of what the gateway kept of a tagged prompt."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from reenact.dialects.dialect import Dialect
from reenact.dialects.openai_chat import OpenAIChat
from reenact.dialects.translating.translation import TRANSLATED, translated
from reenact.domain.message import Json, Message, Prompt, Role, Text
from reenact.errors import InvalidInput
from reenact.prompts.recognising import Located, Shape, Template, located
from reenact.prompts.wording import Wording, worded, worded_in_tags

_AUTO = re.compile(r"<helicone-auto-prompt-input idx=\d{1,9} />\Z")
_chat = OpenAIChat()
_ASKER = Message(role=Role.USER, parts=(Text("?"),))


def read_body(body: Mapping[str, Json]) -> Prompt:
    """Return what the body of a version says.

    Raises:
        InvalidInput: its messages are no list of objects.
    """
    return _chat.read_prompt(dict(body))


def template_of(messages: tuple[Message, ...]) -> Template:
    """Return the template that the *messages* of a version are, in whatever format they are said."""
    return Template(shapes=tuple(_shape(message, worded) for message in messages))


def inputs_in(body: Mapping[str, Json], prompt: Prompt) -> dict[str, str] | None:
    """Return what *prompt* says in place of the variables of a version; None when it was not made from it, or is not sure."""
    messages = said_in(read_body(body).messages, prompt.dialect)
    place = located(template_of(messages), prompt.messages, {}) if messages else None
    if not isinstance(place, Located) or place.said.unsure:
        return None
    return place.said.values


def tagged_template(dialect: Dialect, template: Json, body: Json, roles: Collection[Role]) -> Template | None:
    """Return the template that an agent's tags left of a request; None where that cannot be told.

    Args:
        dialect: of the request.
        template: as the gateway kept it (`Tagged.template`), decoded.
        body: as it was sent, decoded: what the template has no word for stands there at the same place.
        roles: of the messages that are to take its place. A text that stands in the body alone, as a system prompt may, does
            not show whether it is the agent's or the template's: without a variable it is the template's where they are of
            its role.
    """
    own_not: set[int] = set()
    whole = _whole(template, body, own_not)
    try:
        messages = dialect.read_prompt(whole).messages
    except InvalidInput:
        return None
    shapes = [_shape(message, worded_in_tags) for message in messages]
    places = tuple(
        place
        for place, (message, shape) in enumerate(zip(messages, shapes, strict=True))
        if not _is_from(message.origin, own_not) and (_is_marked(message, shape) or message.role in roles)
    )
    if not places:
        return None
    return Template(shapes=tuple(shapes[place] for place in places), places=places, length=len(messages))


def said_in(messages: Sequence[Message], dialect: str) -> tuple[Message, ...]:
    """Return *messages* of OpenAI's chat format in the words of *dialect*; none where it has no words for them."""
    if dialect == "openai_chat":
        return tuple(messages)
    if dialect not in TRANSLATED or not messages:
        return ()
    is_asked = any(message.role is Role.USER for message in messages)
    asking = (*messages, *(() if is_asked else (_ASKER,)))  # some formats know no request without a question
    try:
        said = translated(Prompt(dialect="openai_chat", model=None, messages=asking), dialect, "", provider="").messages
    except InvalidInput:
        return ()
    return said if is_asked else said[:-1]


def _whole(template: Json, body: Json, own_not: set[int]) -> Json:
    """Return *template* with the objects of *body* in place of those that it leaves out; note their identities."""
    if isinstance(template, dict) and isinstance(body, dict):
        return {key: _whole(value, body.get(key), own_not) for key, value in template.items()}
    if isinstance(template, list) and isinstance(body, list) and len(template) == len(body):
        return [_whole(one, other, own_not) for one, other in zip(template, body, strict=True)]
    if isinstance(template, str) and isinstance(body, dict) and _AUTO.match(template):
        own_not.add(id(body))
        return body
    return template


def _is_from(origin: Json, objects: set[int]) -> bool:
    """Return whether a message was read from objects that are not the template's."""
    if isinstance(origin, list):
        return bool(origin) and all(id(one) in objects for one in origin)
    return id(origin) in objects


def _is_marked(message: Message, shape: Shape) -> bool:
    """Return whether it is sure that a message is the template's: it is an object that was kept, or has a variable."""
    return isinstance(message.origin, dict) or any(_variables(shape))


def _variables(shape: Shape) -> Iterator[bool]:
    return (bool(part.variables) for part in shape.parts if isinstance(part, Wording))


def _shape(message: Message, apart: Callable[[str], Wording]) -> Shape:
    parts = tuple(apart(part.text) if isinstance(part, Text) else part for part in message.parts)
    return Shape(role=message.role, parts=parts)

"""PromptKeeper: makes, changes, finds and deletes named prompts, by the rules of Helicone's (surface 5.7)."""

import re
from collections.abc import Callable, Sequence

import msgspec

from reenact.domain.message import Json
from reenact.domain.version import PRODUCTION, NamedPrompt, Version
from reenact.errors import InvalidInput, NotFound, StoreFailed, TooLarge
from reenact.prompts.checking import MOST_BODY_BYTES, checked_body, checked_tags
from reenact.prompts.including import Partial, included, message_text, partials_in
from reenact.store.control.promptbook import PromptBook

FIRST = "First version."
"""What the first version of a prompt says of itself."""
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 6
_ATTEMPTS = 10
_NUMBER = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\Z")
_TOLD = 20
_MOST_INCLUDING = 5
"""How deep a message may include another that includes another."""


class PromptKeeper:
    """Stands before the book of prompts, which may wait for a disk. Any thread may ask."""

    def __init__(
        self,
        book: PromptBook,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        choose: Callable[[str], str],
    ) -> None:
        """Take the parts.

        Args:
            book: where prompts are kept.
            clock: the time in microseconds since the epoch.
            new_id: makes a UUID.
            choose: returns one of the letters of a text, at random.
        """
        self.book = book
        """Where prompts are kept: what needs no rule is asked of it."""
        self._clock = clock
        self._new_id = new_id
        self._choose = choose

    def create(self, organisation_id: str, name: str, tags: Sequence[str], body: Json) -> tuple[NamedPrompt, Version]:
        """Keep a new prompt with its first version, 0.0, which is in use in production.

        Raises:
            InvalidInput: the body is no chat request, or there are too many tags.
            TooLarge: the body is too long.
        """
        said, named = checked_body(body, "promptBody"), checked_tags(tags)
        for _ in range(_ATTEMPTS):
            prompt = NamedPrompt(
                id="".join(self._choose(_ID_LETTERS) for _ in range(_ID_LENGTH)),
                organisation_id=organisation_id,
                name=name,
                tags=named,
                created_us=self._clock(),
            )
            version = Version(
                id=self._new_id(),
                organisation_id=organisation_id,
                prompt_id=prompt.id,
                major=0,
                minor=0,
                commit_message=FIRST,
                environments=(PRODUCTION,),
                created_us=prompt.created_us,
                body=said,
            )
            if self.book.add(prompt, version):
                return prompt, version
        raise StoreFailed("No id is free for another prompt; delete some.")

    def update(
        self,
        organisation_id: str,
        prompt_id: str,
        version_id: str,
        body: Json,
        *,
        commit_message: str,
        is_major: bool,
        environment: str | None = None,
    ) -> Version:
        """Keep another version of a prompt and return it.

        Args:
            organisation_id: whose prompt.
            prompt_id: of which.
            version_id: the one that it goes on from, whose major version it is of.
            body: a chat request.
            commit_message: what changed.
            is_major: whether it begins a major version instead.
            environment: where it is in use from now on; None: nowhere yet.

        Raises:
            NotFound: there is no such version.
            InvalidInput: the body is no chat request.
            TooLarge: it is too long.
        """
        version = Version(
            id=self._new_id(),
            organisation_id=organisation_id,
            prompt_id=prompt_id,
            major=0,
            minor=0,
            commit_message=commit_message,
            environments=(environment,) if environment else (),
            created_us=self._clock(),
            body=checked_body(body, "promptBody"),
        )
        return self.book.add_version(version, version_id, is_major=is_major)

    def query(self, organisation_id: str, search: str, tags: Sequence[str]) -> list[NamedPrompt]:
        """Return the prompts whose name contains *search*, whatever its case, and that have one of *tags*; newest first."""
        wanted, part = set(tags), search.casefold()
        return [
            prompt
            for prompt in self.book.all(organisation_id)
            if part in prompt.name.casefold() and (not wanted or wanted & set(prompt.tags))
        ]

    def tags(self, organisation_id: str) -> list[str]:
        """Return the tags that some prompt has, in order."""
        return sorted({tag for prompt in self.book.all(organisation_id) for tag in prompt.tags})

    def named(self, organisation_id: str, name: str) -> NamedPrompt:
        """Return the prompt with this id or name.

        Raises:
            NotFound: there is none.
            InvalidInput: several have the name.
        """
        prompts = self.book.all(organisation_id)
        found = [one for one in prompts if one.id == name] or [one for one in prompts if one.name == name]
        if not found:
            raise NotFound(f"There is no prompt with the id or name {name!r}.")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise InvalidInput(f"Several prompts are named {name!r}: {ids}. Say which by its id.", "prompt", name)
        return found[0]

    def chosen(self, prompt: NamedPrompt, version: str | None, environment: str | None) -> Version:
        """Return a version of *prompt*: by its id or number, by where it is in use, else that of production, else the newest.

        Raises:
            NotFound: there is no such version.
        """
        own = (prompt.organisation_id, prompt.id)
        if environment is not None:
            return self.in_use(*own, environment)
        if version is None:
            newest = self.book.in_use(*own, PRODUCTION) or next(iter(self.book.versions(*own, limit=1)), None)
            if newest is None:
                raise NotFound(f"The prompt {prompt.name!r} has no version.")
            return newest
        if _NUMBER.match(version):
            found = next(iter(self.book.versions(*own, limit=1, number=version)), None)
        else:
            found = self.book.version(prompt.organisation_id, version)
        if found is None or found.prompt_id != prompt.id:
            numbers = ", ".join(one.number for one in self.book.versions(*own, limit=_TOLD)) or "none"
            raise NotFound(f"The prompt {prompt.name!r} has no version {version}; its newest are: {numbers}.")
        return found

    def in_use(self, organisation_id: str, prompt_id: str, environment: str) -> Version:
        """Return the version of a prompt that is in use in an environment.

        Raises:
            NotFound: there is none.
        """
        found = self.book.in_use(organisation_id, prompt_id, environment)
        if found is None:
            raise NotFound(f"The prompt {prompt_id} has no version in use in {environment}.")
        return found

    def whole(self, version: Version) -> dict[str, Json]:
        """Return the body of *version* with what it includes of other prompts.

        Raises:
            NotFound: something that it includes is not there.
            InvalidInput: it includes itself, or goes too deep.
            TooLarge: it is too long with what it includes.
        """
        body: dict[str, Json] = version.body
        for _ in range(_MOST_INCLUDING):
            wanted = partials_in(body)
            if not wanted:
                return body
            texts = {one: self._text(version.organisation_id, one) for one in wanted}
            size = len(msgspec.json.encode(body)) + sum(len(texts[one]) * count for one, count in wanted.items())
            if size > MOST_BODY_BYTES:
                raise TooLarge(f"A prompt's body may have {MOST_BODY_BYTES:,} bytes with what it includes.")
            body = included(body, texts)
        raise InvalidInput(f"It includes itself, or goes on through more than {_MOST_INCLUDING} prompts.", "prompt")

    def _text(self, organisation_id: str, partial: Partial) -> str:
        version = self.in_use(organisation_id, partial.prompt_id, partial.environment or PRODUCTION)
        try:
            return message_text(version.body, partial.index)
        except InvalidInput as error:
            raise NotFound(
                f"It includes message {partial.index} of the prompt {partial.prompt_id}: {error.message}"
            ) from None

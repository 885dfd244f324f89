"""PromptBook: named prompts, their versions, and which of them is in use where."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec
import sqlalchemy as sa

from reenact.domain.message import Json
from reenact.domain.version import NamedPrompt, Version
from reenact.errors import NotFound
from reenact.store.control.opener import take_turns
from reenact.store.control.statements import inserting
from reenact.store.control.tables import environments, prompts, versions

_encode = msgspec.msgpack.Encoder().encode
_tags = msgspec.msgpack.Decoder(tuple[str, ...])
_body = msgspec.json.Decoder(dict[str, Json])

Transaction = Callable[[], AbstractContextManager[sa.Connection]]


class PromptBook:
    """Synchronous; any thread may call it. Ids, times and what a version may say are the caller's."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, prompt: NamedPrompt, version: Version) -> bool:
        """Keep a new *prompt* with its first *version*; return False, and keep nothing, when its id is taken."""
        row = msgspec.structs.asdict(prompt) | {"tags": _encode(prompt.tags)}
        with self._transaction() as connection:
            take_turns(connection)
            taken = sa.select(prompts.c.id).where(_own(prompts, prompt.organisation_id), prompts.c.id == prompt.id)
            if connection.execute(taken).first() is not None:
                return False
            connection.execute(sa.insert(prompts).values(row))
            _add_version(connection, version)
            return True

    def add_version(self, version: Version, after: str, *, is_major: bool) -> Version:
        """Keep another version of a prompt and return it with its number.

        Args:
            version: without its number.
            after: the id of the one that it goes on from: it is the next of that one's major version.
            is_major: whether it is the first of the next major version instead.

        Raises:
            NotFound: the prompt has no version *after*.
        """
        with self._transaction() as connection:
            take_turns(connection)
            own = _of_prompt(versions, version.organisation_id, version.prompt_id)
            base = connection.execute(
                sa.select(versions.c.major).where(own, versions.c.id == after)
            ).scalar_one_or_none()
            if base is None:
                raise NotFound(f"The prompt {version.prompt_id} has no version {after}.")
            if is_major:
                major = connection.execute(sa.select(sa.func.max(versions.c.major)).where(own)).scalar_one() + 1
                kept = msgspec.structs.replace(version, major=major, minor=0)
            else:
                newest = sa.select(sa.func.max(versions.c.minor)).where(own, versions.c.major == base)
                minor = connection.execute(newest).scalar_one() + 1
                kept = msgspec.structs.replace(version, major=base, minor=minor)
            _add_version(connection, kept)
            return kept

    def get(self, organisation_id: str, prompt_id: str) -> NamedPrompt:
        """Return a prompt.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        asked = sa.select(prompts).where(_own(prompts, organisation_id), prompts.c.id == prompt_id)
        with self._transaction() as connection:
            row = connection.execute(asked).mappings().first()
        if row is None:
            raise _no_prompt(prompt_id)
        return _prompt(row)

    def all(self, organisation_id: str) -> list[NamedPrompt]:
        """Return the prompts of an organisation, newest first."""
        newest = (prompts.c.created_us.desc(), prompts.c.id)
        asked = sa.select(prompts).where(_own(prompts, organisation_id)).order_by(*newest)
        with self._transaction() as connection:
            return [_prompt(row) for row in connection.execute(asked).mappings()]

    def rename(self, organisation_id: str, prompt_id: str, name: str) -> None:
        """Give a prompt another name.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        self._change(organisation_id, prompt_id, {"name": name})

    def tag(self, organisation_id: str, prompt_id: str, tags: tuple[str, ...]) -> None:
        """Give a prompt *tags* in place of those that it has.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        self._change(organisation_id, prompt_id, {"tags": _encode(tags)})

    def delete(self, organisation_id: str, prompt_id: str) -> None:
        """Delete a prompt with all its versions.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        with self._transaction() as connection:
            own = _own(prompts, organisation_id) & (prompts.c.id == prompt_id)
            if not connection.execute(sa.delete(prompts).where(own)).rowcount:
                raise _no_prompt(prompt_id)
            for table in (versions, environments):
                connection.execute(sa.delete(table).where(_of_prompt(table, organisation_id, prompt_id)))

    def delete_version(self, organisation_id: str, prompt_id: str, version_id: str) -> None:
        """Delete a version; it is in use nowhere then.

        Raises:
            NotFound: the prompt has no such version.
        """
        with self._transaction() as connection:
            own = _of_prompt(versions, organisation_id, prompt_id) & (versions.c.id == version_id)
            if not connection.execute(sa.delete(versions).where(own)).rowcount:
                raise _no_version(version_id)
            used = _of_prompt(environments, organisation_id, prompt_id) & (environments.c.version_id == version_id)
            connection.execute(sa.delete(environments).where(used))

    def version(self, organisation_id: str, version_id: str) -> Version:
        """Return a version with its body.

        Raises:
            NotFound: the organisation has no such version.
        """
        asked = sa.select(versions).where(_own(versions, organisation_id), versions.c.id == version_id)
        with self._transaction() as connection:
            row = connection.execute(asked).mappings().first()
            if row is None:
                raise _no_version(version_id)
            return _version(row, _environments(connection, organisation_id, row["prompt_id"]))

    def versions(
        self, organisation_id: str, prompt_id: str, *, limit: int, major: int | None = None, number: str | None = None
    ) -> list[Version]:
        """Return versions of a prompt with their bodies, newest first.

        Args:
            organisation_id: whose prompt.
            prompt_id: of which.
            limit: how many at most.
            major: only those of this major version.
            number: only the one with this number, such as `2.1`.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        chosen = _of_prompt(versions, organisation_id, prompt_id)
        if major is not None:
            chosen &= versions.c.major == major
        if number is not None:
            of_major, _, of_minor = number.partition(".")
            chosen &= (versions.c.major == int(of_major)) & (versions.c.minor == int(of_minor))
        newest = (versions.c.created_us.desc(), versions.c.major.desc(), versions.c.minor.desc())
        with self._transaction() as connection:
            asked = sa.select(versions).where(chosen).order_by(*newest).limit(limit)
            found = connection.execute(asked).mappings().all()
            used = _environments(connection, organisation_id, prompt_id)
        if not found:
            self.get(organisation_id, prompt_id)
        return [_version(row, used) for row in found]

    def count(self, organisation_id: str, prompt_id: str) -> tuple[int, int]:
        """Return how many versions a prompt has, and the number of its newest major version.

        Raises:
            NotFound: the organisation has no such prompt.
        """
        majors = sa.func.coalesce(sa.func.max(versions.c.major), 0)
        asked = sa.select(sa.func.count(), majors).where(_of_prompt(versions, organisation_id, prompt_id))
        with self._transaction() as connection:
            total, newest = connection.execute(asked).one()
        if not total:
            self.get(organisation_id, prompt_id)
        return total, newest

    def in_use(self, organisation_id: str, prompt_id: str, environment: str) -> Version | None:
        """Return the version of a prompt that is in use in an environment; None when none is."""
        asked = sa.select(environments.c.version_id).where(
            _of_prompt(environments, organisation_id, prompt_id), environments.c.name == environment
        )
        with self._transaction() as connection:
            version_id = connection.execute(asked).scalar_one_or_none()
        return None if version_id is None else self.version(organisation_id, version_id)

    def use(self, organisation_id: str, prompt_id: str, version_id: str, environment: str) -> None:
        """Have a version in use in an environment, in place of the one that was.

        Raises:
            NotFound: the prompt has no such version.
        """
        row = {"organisation_id": organisation_id, "prompt_id": prompt_id, "name": environment}
        with self._transaction() as connection:
            _must_have(connection, organisation_id, prompt_id, version_id)
            _use(connection, row, version_id)

    def stop_using(self, organisation_id: str, prompt_id: str, version_id: str, environment: str) -> None:
        """Have a version no more in use in an environment; nothing happens when it was not.

        Raises:
            NotFound: the prompt has no such version.
        """
        with self._transaction() as connection:
            _must_have(connection, organisation_id, prompt_id, version_id)
            used = (environments.c.name == environment) & (environments.c.version_id == version_id)
            connection.execute(
                sa.delete(environments).where(_of_prompt(environments, organisation_id, prompt_id), used)
            )

    def environments(self, organisation_id: str) -> list[str]:
        """Return the environments that some prompt of an organisation has a version in use in, in order."""
        asked = sa.select(environments.c.name).where(_own(environments, organisation_id)).distinct()
        with self._transaction() as connection:
            return sorted(connection.execute(asked).scalars())

    def _change(self, organisation_id: str, prompt_id: str, values: dict[str, object]) -> None:
        own = _own(prompts, organisation_id) & (prompts.c.id == prompt_id)
        with self._transaction() as connection:
            if not connection.execute(sa.update(prompts).where(own).values(values)).rowcount:
                raise _no_prompt(prompt_id)


def _own(table: sa.Table, organisation_id: str) -> sa.ColumnElement[bool]:
    return table.c.organisation_id == organisation_id


def _of_prompt(table: sa.Table, organisation_id: str, prompt_id: str) -> sa.ColumnElement[bool]:
    return _own(table, organisation_id) & (table.c.prompt_id == prompt_id)


def _add_version(connection: sa.Connection, version: Version) -> None:
    fields = msgspec.structs.asdict(version) | {"body": msgspec.json.encode(version.body)}
    used = fields.pop("environments")
    connection.execute(sa.insert(versions).values(fields))
    for environment in used:
        row = {"organisation_id": version.organisation_id, "prompt_id": version.prompt_id, "name": environment}
        _use(connection, row, version.id)


def _use(connection: sa.Connection, row: dict[str, str], version_id: str) -> None:
    changed = {"version_id": version_id}
    used = inserting(connection, environments).values(row | changed)
    connection.execute(
        used.on_conflict_do_update(index_elements=["organisation_id", "prompt_id", "name"], set_=changed)
    )


def _must_have(connection: sa.Connection, organisation_id: str, prompt_id: str, version_id: str) -> None:
    own = _of_prompt(versions, organisation_id, prompt_id) & (versions.c.id == version_id)
    if connection.execute(sa.select(versions.c.id).where(own)).first() is None:
        raise _no_version(version_id)


def _environments(connection: sa.Connection, organisation_id: str, prompt_id: str) -> dict[str, list[str]]:
    """Return where the versions of a prompt are in use, by their ids."""
    asked = sa.select(environments).where(_of_prompt(environments, organisation_id, prompt_id))
    found: dict[str, list[str]] = {}
    for row in connection.execute(asked.order_by(environments.c.name)).mappings():
        found.setdefault(row["version_id"], []).append(row["name"])
    return found


def _prompt(row: sa.RowMapping) -> NamedPrompt:
    return NamedPrompt(**{**row, "tags": _tags.decode(row["tags"])})


def _version(row: sa.RowMapping, used: dict[str, list[str]]) -> Version:
    given = {**row, "body": _body.decode(row["body"])}
    return Version(**given, environments=tuple(used.get(row["id"], ())))


def _no_prompt(prompt_id: str) -> NotFound:
    return NotFound(f"There is no prompt {prompt_id}")


def _no_version(version_id: str) -> NotFound:
    return NotFound(f"There is no version {version_id}")

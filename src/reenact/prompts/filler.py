"""Filler: looks up the versions that a patch uses, so that the patch says all by itself."""

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import MOST_KNOWN, Change, Edit, Patch, UsePrompt
from reenact.domain.version import Version
from reenact.errors import InvalidInput, InvalidPatch, NotFound, TooLarge
from reenact.prompts.keeper import PromptKeeper

_MOST_KNOWN_BYTES = 4 * 1024 * 1024


class Filler:
    """Reads the book of prompts, which may wait for a disk: used in threads."""

    def __init__(self, keeper: PromptKeeper) -> None:
        self._keeper = keeper

    def filled(self, organisation_id: str, patch: Patch) -> Patch:
        """Return *patch* with the bodies of the versions that it uses; one that has them already stays as it is.

        Raises:
            InvalidPatch: there is no such prompt or version; `field` is the place in the patch.
        """
        changes = tuple(
            self._change(organisation_id, change, f"changes[{at}]") for at, change in enumerate(patch.changes)
        )
        return msgspec.structs.replace(patch, changes=changes)

    def _change(self, organisation_id: str, change: Change, place: str) -> Change:
        edits = tuple(self._edit(organisation_id, edit, f"{place}.edits[{at}]") for at, edit in enumerate(change.edits))
        return msgspec.structs.replace(change, edits=edits)

    def _edit(self, organisation_id: str, edit: Edit, place: str) -> Edit:
        if not isinstance(edit, UsePrompt) or edit.template is not None:
            return edit
        if edit.version is not None and edit.environment is not None:
            raise InvalidPatch(
                "Say either the version or the environment that it is in use in.", f"{place}.environment"
            )
        try:
            prompt = self._keeper.named(organisation_id, edit.prompt)
        except (NotFound, InvalidInput) as error:
            raise InvalidPatch(error.message, f"{place}.prompt") from error
        field = "environment" if edit.environment is not None else "version"
        try:
            version = self._keeper.chosen(prompt, edit.version, edit.environment)
            template = self._keeper.whole(version)
        except (NotFound, InvalidInput, TooLarge) as error:
            raise InvalidPatch(error.message, f"{place}.{field}") from error
        return msgspec.structs.replace(
            edit, version=version.number, environment=None, template=template, known=self._others(version)
        )

    def _others(self, used: Version) -> tuple[dict[str, Json], ...]:
        """Return the bodies of the other versions, newest first; one that includes what is gone is left out."""
        found: list[dict[str, Json]] = []
        left = _MOST_KNOWN_BYTES
        for version in self._keeper.book.versions(used.organisation_id, used.prompt_id, limit=MOST_KNOWN + 1):
            try:
                body = self._keeper.whole(version)
            except (NotFound, InvalidInput, TooLarge):
                continue
            left -= len(msgspec.json.encode(body))
            if left < 0:
                break
            if version.id != used.id:
                found.append(body)
        return tuple(found[:MOST_KNOWN])

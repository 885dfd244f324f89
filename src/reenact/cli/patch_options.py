"""The patch that the options of `reenact replay` say."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from reenact.domain.message import Json
from reenact.domain.patch import (
    AppendSystem,
    Change,
    DropParameter,
    Edit,
    Patch,
    ReplaceText,
    Selector,
    SetModel,
    SetParameter,
    SetSystem,
    UsePrompt,
)
from reenact.errors import InvalidInput, InvalidPatch
from reenact.replay.patching import read_patch

_VERSION = re.compile(r"(?:\d{1,9}\.\d{1,9}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")


class PatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was given on the command line."""

    sets: Sequence[str] = ()
    drops: Sequence[str] = ()
    system: str | None = None
    append_system: str | None = None
    replaces: Sequence[str] = ()
    prompts: Sequence[str] = ()
    path: str | None = None
    prompt_id: str | None = None
    file: Path | None = None


def read_options(options: PatchOptions) -> Patch:
    """Return the patch of the file, if one is named, and after it the edits of the options.

    Raises:
        InvalidInput: an option that is not of its form, or a file that cannot be read.
        InvalidPatch: the file is no patch.
    """
    kept = read_patch_file(options.file) if options.file else Patch()
    edits = (
        *(_use(text) for text in options.prompts),
        *(_set(text) for text in options.sets),
        *(DropParameter(name) for name in options.drops),
        *([SetSystem(options.system)] if options.system is not None else []),
        *([AppendSystem(options.append_system)] if options.append_system is not None else []),
        *(_replace(text) for text in options.replaces),
    )
    select = Selector(path=options.path, prompt_id=options.prompt_id)
    if not edits and select != Selector():
        raise InvalidInput("--path and --prompt-id say which calls to edit, but no edit is given.", "--path")
    return msgspec.structs.replace(
        kept, changes=kept.changes + ((Change(select=select, edits=edits),) if edits else ())
    )


def read_patch_file(file: Path) -> Patch:
    """Return the patch in a JSON or YAML file, `-` for standard input.

    Raises:
        InvalidInput: the file cannot be read.
        InvalidPatch: it is no patch; names the place.
    """
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        value = _decoded(content, file.suffix.lower())
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.", "--patch") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is neither JSON nor YAML: {error}", "--patch") from error
    try:
        return read_patch(value)
    except InvalidPatch as error:
        raise InvalidPatch(f"{file}: {error.message}", error.field) from None


def _decoded(content: bytes, suffix: str) -> Json:
    """Return what a file says: as its name's *suffix* says, else as JSON where it is some, else as YAML."""
    if suffix not in {".yaml", ".yml"}:
        try:
            return msgspec.json.decode(content)
        except msgspec.DecodeError:
            if suffix == ".json":
                raise
    return msgspec.yaml.decode(content)


def _use(text: str) -> UsePrompt:
    """Return the edit of `NAME`, `NAME@VERSION` or `NAME@ENVIRONMENT`; a number or an id is a version."""
    name, at, which = text.rpartition("@") if "@" in text else (text, "", "")
    if not name or (at and not which):
        raise InvalidInput(f"--use-prompt {text!r} is not NAME, NAME@VERSION or NAME@ENVIRONMENT.", "--use-prompt")
    if _VERSION.match(which):
        return UsePrompt(prompt=name, version=which)
    return UsePrompt(prompt=name, environment=which or None)


def _set(text: str) -> Edit:
    """Return the edit of `NAME=VALUE`, the value as JSON when it is some, else as text."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InvalidInput(f"--set {text!r} is not NAME=VALUE, such as temperature=0.", "--set")
    return SetModel(value) if name == "model" else SetParameter(name, _json_or_text(value))


def _json_or_text(value: str) -> Json:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _replace(text: str) -> ReplaceText:
    old, arrow, new = text.partition("=>")
    if not old or not arrow:
        raise InvalidInput(f"--replace {text!r} is not OLD=>NEW.", "--replace")
    return ReplaceText(old, new)

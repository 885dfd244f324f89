"""Backer: copies a whole data folder while a server may be using it, into a folder or one file."""

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
import zstandard

from reenact import __version__
from reenact.domain.exchange import Cursor
from reenact.errors import FolderUnusable, InvalidInput
from reenact.spool.segment import segments
from reenact.store.objects.files import FileObjects
from reenact.store.objects.objects import Object, Objects
from reenact.store.sqlite.copier import copy_database, place_cursors
from reenact.store.sqlite.store import OBJECTS

MANIFEST = "backup.json"
_ENGINE = "chdb"
"""The folder of the embedded engine, where one keeps the calls."""
CALLS = "calls.sqlite3"
DATABASES = ("control.sqlite3", CALLS)
"""In the order they are copied: a key that a copied call was made with is not missed."""
PLAIN = ("secret", "prices.json")
"""Small files that are written whole."""
PACKED = (".tar.zst", ".tzst")
_FORMAT, _VERSION = "reenact-backup", 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: str = _FORMAT
    version: int = _VERSION
    reenact: str
    """The version that made it."""
    files: dict[str, str]
    """SHA-256 by path within the folder."""


def back_up(data: Path, target: Path, objects: Mapping[str, Objects] | None = None) -> Manifest:
    """Copy the data folder *data* to *target*: a new folder, or one compressed file when its name says so (PACKED).

    What the journal holds is copied first, so that each call that was recorded before the start is in the copy: in its
    journal or in its store, and saving it twice leaves one. The answer cache is left out. An embedded engine is copied only
    while nobody has it open. *objects* are those that stand outside the store's rows and are not in the folder, by the name of
    the folder that they have in the copy, where they are files.

    Raises:
        FolderUnusable: the target is there already.
        FolderInUse: a server has the embedded engine open.
        StoreFailed: a database cannot be copied.
        OSError: a file cannot be read or written.
    """
    if target.exists():
        raise FolderUnusable(f"{target} is there already. Name a new folder or file for the backup.")
    with _at_rest(data / _ENGINE) if (data / _ENGINE).exists() else nullcontext():
        return _made(data, target, objects or {})


def _made(data: Path, target: Path, objects: Mapping[str, Objects]) -> Manifest:
    """Copy to *target*."""
    if not target.name.endswith(PACKED):
        return _finish(data, target, objects)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".reenact-") as name:
        folder = Path(name) / "backup"
        manifest = _copy(data, folder, objects)
        _pack(folder, target)
    return manifest


def restore(source: Path, data: Path) -> Manifest:
    """Make the data folder *data* out of a backup; it must be missing or empty.

    Raises:
        FolderUnusable: the folder is not empty.
        InvalidInput: it is no backup, of a later version, or damaged.
        OSError: a file cannot be read or written.
    """
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise FolderUnusable(f"{data} is not empty. A backup is restored into a new folder: name another with --data.")
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=".reenact-") as name:
        folder = Path(name) / "restored"
        if source.is_dir():
            shutil.copytree(source, folder, symlinks=True)
        else:
            _unpack(source, folder)
        manifest = _checked(source, folder)
        (folder / MANIFEST).unlink()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        folder.replace(data)
    return manifest


def _finish(data: Path, target: Path, objects: Mapping[str, Objects]) -> Manifest:
    """Copy into a folder that appears under its name when it is whole."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".reenact-") as name:
        manifest = _copy(data, Path(name) / "backup", objects)
        (Path(name) / "backup").replace(target)
    return manifest


def _copy(data: Path, folder: Path, objects: Mapping[str, Objects]) -> Manifest:
    folder.mkdir(mode=0o700)
    sources: dict[str, Objects] = {place.name: FileObjects(place) for place in data.glob(f"*{OBJECTS}")}
    sources |= objects
    copied = _copy_objects(sources, folder, frozenset())
    most = _copy_spools(data / "spool", folder / "spool")
    for name in DATABASES:
        if (data / name).exists():  # control data may be kept elsewhere
            copy_database(data / name, folder / name)
    if (folder / CALLS).exists():
        place_cursors(folder / CALLS, most)
    if (data / _ENGINE).exists():
        _copy_engine(data / _ENGINE, folder / _ENGINE)
    _copy_objects(sources, folder, copied)  # those that the copied calls had and that came after the first look
    for name in PLAIN:
        if (data / name).exists():
            shutil.copy2(data / name, folder / name)
    manifest = Manifest(reenact=__version__, files=_digests(folder))
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return manifest


def _at_rest(engine: Path) -> AbstractContextManager[None]:
    """Let nobody open the engine meanwhile."""
    from reenact.store.clickhouse.copier import at_rest  # noqa: PLC0415 - its packages are an extra

    return at_rest(engine)


def _copy_engine(engine: Path, target: Path) -> None:
    from reenact.store.clickhouse.copier import copy_engine  # noqa: PLC0415 - the same

    copy_engine(engine, target)


def _copy_objects(sources: Mapping[str, Objects], folder: Path, copied: frozenset[Path]) -> frozenset[Path]:
    """Copy the objects that are not *copied*, one at a time; return which are now."""
    names = set(copied)
    for name, source in sources.items():
        target = FileObjects(folder / name)
        for one in source.all():
            place = Path(name, one.folder, one.key)
            if place not in copied:
                for key, content in source.get(one.folder, [one.key]).items():  # it may just have been deleted
                    target.put([Object(folder=one.folder, key=key, content=content)])
                    names.add(place)
    return frozenset(names)


def _copy_spools(source: Path, target: Path) -> dict[str, Cursor]:
    """Copy the segments of all journals; return how far each of the copies reaches.

    A segment that is opened later has the number after the last one: no cursor may be past what was copied.
    """
    folders = {"spool": source} | {f"spool/{path.name}": path for path in source.iterdir() if path.name.isdigit()}
    most = {}
    for name, folder in folders.items():
        copied = target.parent / name
        copied.mkdir(mode=0o700, parents=True, exist_ok=True)
        last = Cursor()
        for segment in segments(folder):
            try:
                shutil.copyfile(segment.path, copied / segment.path.name)
            except FileNotFoundError:
                continue  # all of it is in the store by now
            last = Cursor(segment.number, (copied / segment.path.name).stat().st_size)
        most[name] = last
    return most


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name != MANIFEST:
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _checked(source: Path, folder: Path) -> Manifest:
    """Return what the backup says of itself, once that is true."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        raise InvalidInput(f"{source} is no backup of Reenact: it has no {MANIFEST}.") from None
    if (manifest.format, manifest.version) != (_FORMAT, _VERSION):
        raise InvalidInput(f"{source} is a backup of another version of Reenact ({manifest.reenact}).")
    found = _digests(folder)
    odd = sorted(name for name in manifest.files | found if manifest.files.get(name) != found.get(name))
    if odd:
        raise InvalidInput(f"The backup {source} is damaged: {', '.join(odd)}.")
    return manifest


def _pack(folder: Path, target: Path) -> None:
    fresh = folder.parent / "packed"
    fresh.touch(mode=0o600)
    with (
        zstandard.open(fresh, "wb", cctx=zstandard.ZstdCompressor(level=3, write_checksum=True)) as compressed,
        tarfile.open(fileobj=compressed, mode="w|") as packed,
    ):
        packed.add(folder, arcname=".")
    fresh.replace(target)


def _unpack(source: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    try:
        with zstandard.open(source, "rb") as compressed, tarfile.open(fileobj=compressed, mode="r|") as packed:
            packed.extractall(folder, filter="data")
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise InvalidInput(f"{source} is no backup of Reenact, or damaged: {error}.") from None

"""Prices: the tariff that lies in a data folder, read once by whatever opens it."""

from reenact.errors import FolderUnusable
from reenact.ingest.tariff import LISTED, Tariff
from reenact.server.folder import Folder


def read_tariff(folder: Folder) -> Tariff:
    """Return what goes before the listed prices; nothing does where there is no file.

    Raises:
        FolderUnusable: it cannot be read.
        InvalidInput: it is no tariff; the message names the file and the field.
    """
    try:
        content = folder.prices.read_bytes()
    except FileNotFoundError:
        return LISTED
    except OSError as error:
        raise FolderUnusable(f"The prices {folder.prices} cannot be read: {error.strerror}.") from None
    return Tariff.read(content, str(folder.prices))

"""Every error Reenact raises, in one tree. What a user may expect to happen is a value (Divergence, Gap), never an error.

    ReenactError
    ├── InvalidInput            what was asked cannot be understood: names the field                422
    │   ├── InvalidFilter       an unknown table, column or operator, or a value of the wrong type  422
    │   └── InvalidPatch        a selector that matches nothing, an edit that does not fit          422
    ├── NotFound                the thing asked for is not here (or belongs to somebody else)       404
    ├── Unauthenticated         no key, or a key that is not known                                  401
    ├── Forbidden               a known key that may not do this                                    403
    ├── TooLarge                a body over the limit                                               413
    ├── UpstreamFailed          the provider could not be reached, or broke off                     502, 504
    ├── SpoolFailed             the journal could not be written; the call it was for is lost       500
    ├── StoreFailed             the database could not be written or read: disk full, locked, damaged   500
    │   └── BucketFailed        the bucket of images and long values: unreachable, or denies access         500
    ├── FolderUnusable          the data folder cannot be opened                                    exit 2
    │   ├── FolderInUse         another server holds it                                             exit 2
    │   └── FolderNewer         it was written by a newer version                                   exit 2
    ├── PortUnusable            the port is taken or not allowed                                    exit 2
    ├── ServerUnreachable       the client found no server at its address                           exit 2
    └── ServerRefused           the server answered the client with an error                        exit 1

Each has a stable `code` for programs and a sentence for people that says what happened, to which thing, and what to do.
`api/failing.py` maps codes to HTTP statuses in one table; `cli` turns any of them into one line and a non-zero exit.
"""


class ReenactError(Exception):
    """What all errors of this package are; catch it to catch them all."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ReenactError):
    """What was asked cannot be understood; `field` names the place in the input, as a dotted path.

    `value` is what stood there, JSON, when it helps whoever reads the error.
    """

    code = "invalid_input"

    def __init__(self, message: str, field: str = "", value: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


class InvalidFilter(InvalidInput):
    """A filter names an unknown table, column or operator, or a value of the wrong type."""

    code = "invalid_filter"


class InvalidPatch(InvalidInput):
    """A patch cannot be applied: a selector matches nothing, or an edit does not fit a call."""

    code = "invalid_patch"


class NotFound(ReenactError):
    """The thing asked for is not here, or belongs to another organisation: the two look alike from outside."""

    code = "not_found"


class Unauthenticated(ReenactError):
    """No key was given, or one that this server does not know."""

    code = "unauthenticated"


class Forbidden(ReenactError):
    """The key is known but may not do this."""

    code = "forbidden"


class TooLarge(ReenactError):
    """A body is larger than this server accepts."""

    code = "too_large"


class UpstreamFailed(ReenactError):
    """The provider could not be reached, or broke off; `kind` is one of Helicone's error types.

    `kind`: network_error, timeout, dns_error, connection_refused, ssl_error, provider_error, internal_error
    (helicone-surface 1.8); and `disallowed`, for a target that agents may not name.
    """

    code = "upstream_failed"

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class SpoolFailed(ReenactError):
    """The journal could not be written; the gateway counts a Gap and the agent's call goes on."""

    code = "spool_failed"


class StoreFailed(ReenactError):
    """The database could not be written or read: the disk is full, another process holds it too long, it is damaged."""

    code = "store_failed"


class BucketFailed(StoreFailed):
    """The bucket of objects could not be written or read; the sentence names no address, so that health may show it."""

    code = "bucket_failed"


class FolderUnusable(ReenactError):
    """The data folder cannot be opened: not a folder, not readable, not writable, or damaged."""

    code = "folder_unusable"


class FolderInUse(FolderUnusable):
    """Another server holds the data folder."""

    code = "folder_in_use"


class FolderNewer(FolderUnusable):
    """The data folder was written by a newer version of Reenact."""

    code = "folder_newer"


class PortUnusable(ReenactError):
    """The port is taken, or this user may not listen on it."""

    code = "port_unusable"


class ServerUnreachable(ReenactError):
    """The client found no server at its address."""

    code = "server_unreachable"


class ServerRefused(ReenactError):
    """The server answered the client with an error; `status` is its HTTP status, `field` names the place if it said."""

    code = "server_refused"

    def __init__(self, message: str, status: int, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.field = field

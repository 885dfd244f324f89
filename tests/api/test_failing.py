"""Failures: every code has a status, and every failure one of three shapes."""

import pytest

from reenact import errors
from reenact.api.failing import STATUSES, failure, refused
from reenact.domain.message import Json


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            errors.InvalidFilter("Unknown column.", "filter.x", "v" * 300),
            (
                422,
                {
                    "message": "Validation Failed",
                    "details": {"filter.x": {"message": "Unknown column.", "value": "v" * 200 + "..."}},
                },
            ),
        ),
        (
            errors.InvalidInput("No."),
            (422, {"message": "Validation Failed", "details": {"body": {"message": "No.", "value": None}}}),
        ),
        (errors.NotFound("Request not found"), (404, refused("Request not found"))),
        (errors.Unauthenticated("Who?"), (401, {"error": "Who?", "trace": "isAuthenticated.error"})),
        (errors.Forbidden("No."), (403, refused("No."))),
        (errors.TooLarge("No."), (413, refused("No."))),
        (errors.UpstreamFailed("Slow.", "timeout"), (504, refused("Slow."))),
        (errors.UpstreamFailed("Gone.", "connection_refused"), (502, refused("Gone."))),
        (errors.SpoolFailed("Full."), (500, refused("Full."))),
    ],
)
def test_statuses_and_shapes(error: errors.ReenactError, expected: tuple[int, Json]) -> None:
    """The status is the table's; the shape is the envelope, the validation failure's or the missing key's."""
    assert expected == failure(error)


def test_the_table_knows_codes_that_exist() -> None:
    """No row of the table is for a code that no error has."""
    known = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ReenactError)
    }

    assert set() == STATUSES.keys() - known

"""The seam behind which takes are played: whoever knows the record answers their calls, or has them asked for real.

The gateway itself reads no recording: what answers here is given to it by whoever put the server together.
"""

from typing import Protocol

from reenact.gateway.course import Course
from reenact.gateway.refusing import Refusal
from reenact.gateway.source import UpstreamAnswer


class Stage(Protocol):
    """Answers the calls of takes."""

    async def open(self, course: Course) -> UpstreamAnswer | Refusal | None:
        """Return the recorded answer to a call that names a take, or a refusal in its place.

        None: the call is to be asked for real, as *course* has it now; nothing else may be sent to a provider.
        """
        ...

"""What the real agents have in common: where they call, as which session, and the change that is tried in their code."""

import os
from typing import Any

CASES = ("loop", "handoff", "form")
CHANGE = " Be brief."
"""What the patch appends to every system prompt."""
CITIES = {"Oslo": "rain, 4 degrees", "Lima": "sun, 21 degrees", "Cairo": "dust, 33 degrees"}


def weather_of(city: str) -> str:
    """Return what the agents' tool gives back: the same for the same city."""
    return CITIES.get(city, f"no station in {city}")


def base_url() -> str:
    """Return where OpenAI's format is spoken."""
    return f"{os.environ['GATEWAY']}/v1/gateway/oai/v1"


def runs() -> list[tuple[str, str, dict[str, Any]]]:
    """Return each run: its case, what is appended to system prompts, and the headers that name its session."""
    return [
        (case, change, {"Helicone-Session-Id": f"{os.environ['LIBRARY']} {case} {kind}"})
        for case in CASES
        for kind, change in (("recorded", ""), ("changed", CHANGE))
    ]

"""`reenact keys` lists, makes and revokes keys, and gets back into a folder whose key was lost."""

import json
import re
from pathlib import Path

import httpx2
import pytest

from reenact.errors import ServerRefused
from reenact.server.runner import running_server
from reenact.settings import Settings
from tests.cli.conftest import Run
from tests.fakes.house import a_house

KEY = re.compile(r"sk-helicone-[a-z0-9]{7}(-[a-z0-9]{7}){3}")


def test_a_key_is_made_listed_and_revoked(run: Run) -> None:
    """The key stands alone on its line; the list tells its end only."""
    made = run("keys new", "CI", "--may", "r").stdout
    [listed] = [one for one in json.loads(run("keys", "--json").stdout) if one["api_key_name"] == "CI"]
    table = run("keys").stdout
    said = run("keys revoke", str(listed["id"])).stdout

    assert KEY.fullmatch(made.strip())
    assert (made.strip()[-4:], "r") == (listed["last_four"], listed["key_permissions"])
    assert ("CI" in table, made.strip() in table) == (True, False)
    assert f"The key {listed['id']} works no more.\n" == said
    assert "CI" not in run("keys").stdout
    with pytest.raises(ServerRefused):
        run("keys revoke", str(listed["id"]))


def test_a_folder_whose_key_was_lost_gets_another(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can open the folder needs no key, even where its server asks everybody for one."""
    with a_house(tmp_path / "data", require_key=True):
        pass
    monkeypatch.setenv("REENACT_REQUIRE_KEY", "true")
    made = run("keys new", "Another", "--data", str(tmp_path / "data")).stdout.strip()

    settings = Settings(data=tmp_path / "data", port=0, require_key=True)
    with running_server(settings) as ready:
        answers = [
            httpx2.get(
                f"{ready.url}/v1/api-keys", headers={"authorization": f"Bearer {key}"}, trust_env=False
            ).status_code
            for key in (made, "sk-helicone-wrong")
        ]
    assert [200, 401] == answers

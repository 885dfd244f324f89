"""Images out of bodies over real sockets: named by rows, given by addresses that need no key."""

import base64

import httpx2
import pytest

from reenact.domain.digesting import digest
from tests.api.conftest import House
from tests.store.pictures import picture

PICTURE = picture(7)
KEY = digest(PICTURE).hex()


def ask_about(house: House, session_id: str, content: bytes) -> str:
    """Show the model a picture; return the call's id."""
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    shown = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return house.ask(session_id, {"messages": [{"role": "user", "content": shown}]}, {})


def test_a_row_names_its_images_and_each_can_be_had(house: House, session_id: str) -> None:
    """By the row's own address and by the route that gives one; the body is whole all the same."""
    call_id = ask_about(house, session_id, PICTURE)
    [row] = house.rows(session_id)
    signed = [
        house.http.request(method, f"/v1/request/{call_id}/assets/{KEY}").json()["data"]["assetUrl"]
        for method in ("GET", "POST")
    ]
    assert ([KEY], [KEY]) == (row["asset_ids"], row["assets"])
    assert row["request_body"]["messages"][0]["content"][1]["image_url"]["url"].endswith(
        base64.b64encode(PICTURE).decode()
    )
    for url in (row["asset_urls"][KEY], *signed):
        answer = httpx2.get(url, trust_env=False)
        assert (200, PICTURE, "image/png", "nosniff") == (
            answer.status_code,
            answer.content,
            answer.headers["content-type"],
            answer.headers["x-content-type-options"],
        )


def test_what_is_no_picture_is_a_file(house: House, session_id: str) -> None:
    """Whatever the agent says that it is: a browser must not run what was recorded."""
    page = b"<html><script>alert(1)</script>" + b" " * 70_000
    ask_about(house, session_id, page)
    [row] = house.rows(session_id)
    [url] = row["asset_urls"].values()
    answer = httpx2.get(url, trust_env=False)
    assert ("application/octet-stream", "attachment", "default-src 'none'; sandbox") == (
        answer.headers["content-type"],
        answer.headers["content-disposition"].partition(";")[0],
        answer.headers["content-security-policy"],
    )


@pytest.mark.parametrize("change", [("expires=", "expires=9"), ("signature=", "signature=0"), (KEY, "0" * 32)])
def test_an_address_that_was_changed_is_refused(house: House, session_id: str, change: tuple[str, str]) -> None:
    """It is good for one asset of one call for its time."""
    ask_about(house, session_id, PICTURE)
    [row] = house.rows(session_id)
    assert 403 == httpx2.get(row["asset_urls"][KEY].replace(*change), trust_env=False).status_code


def test_an_asset_of_another_call_is_not_found(house: House, session_id: str) -> None:
    """An asset is had through a call that has it."""
    ask_about(house, session_id, PICTURE)
    [other] = house.chat(f"{session_id}-other", "Hello")
    assert 404 == house.http.post(f"/v1/request/{other}/assets/{KEY}").status_code
    assert 404 == house.http.post(f"/v1/request/unknown/assets/{KEY}").status_code


def test_the_page_of_a_call_shows_the_image(house: House, session_id: str) -> None:
    """From this server, as what its bytes say; what is no image is not shown."""
    call_id = ask_about(house, session_id, PICTURE)
    odd_id = ask_about(house, session_id, b"<svg onload=alert(1)>" + b" " * 70_000)
    house.rows(session_id)
    src = f"/calls/{call_id}/assets/{KEY}"
    page, odd = (house.http.get(f"/calls/{one}").text for one in (call_id, odd_id))
    image = house.http.get(src)
    assert f'src="{src}"' in page
    assert "<img" not in odd
    assert (PICTURE, "image/png", "nosniff") == (
        image.content,
        image.headers["content-type"],
        image.headers["x-content-type-options"],
    )
    odd_key = digest(b"<svg onload=alert(1)>" + b" " * 70_000).hex()
    assert 404 == house.http.get(f"/calls/{odd_id}/assets/{odd_key}").status_code

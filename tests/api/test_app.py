"""The app as a whole: health, its description, and failures of every kind in one shape."""

from tests.api.conftest import House


def test_health(house: House) -> None:
    """Healthy in Helicone's words, and nothing more."""
    answer = house.http.get("/healthcheck")

    assert (200, {"status": "healthy :)"}) == (answer.status_code, answer.json())


def test_unknown_routes_and_methods(house: House) -> None:
    """Both are JSON in the envelope."""
    unknown, wrong = house.http.get("/v1/nowhere"), house.http.get("/v1/request/query")

    assert [(404, {"data": None, "error": "Not Found"}), (405, {"data": None, "error": "Method Not Allowed"})] == [
        (answer.status_code, answer.json()) for answer in (unknown, wrong)
    ]


def test_the_description_names_every_route(house: House) -> None:
    """The OpenAPI document has Helicone's routes and ours, with the bodies they take."""
    document = house.http.get("/download/swagger.json").json()

    assert {
        "/healthcheck": ["get"],
        "/v1/api-keys": ["get", "post"],
        "/v1/api-keys/{key_id}": ["delete"],
        "/v1/comparison": ["get"],
        "/v1/public/request/{request_id}/body": ["get"],
        "/v1/replay": ["get", "post"],
        "/v1/replay/{replay_id}": ["get"],
        "/v1/replay/{replay_id}/cancel": ["post"],
        "/v1/replay/{replay_id}/progress": ["get"],
        "/v1/request/count/query": ["post"],
        "/v1/request/query": ["post"],
        "/v1/request/query-clickhouse": ["post"],
        "/v1/request/query-ids": ["post"],
        "/v1/request/{request_id}": ["get"],
        "/v1/request/{request_id}/feedback": ["post"],
        "/v1/request/{request_id}/property": ["put"],
        "/v1/request/{request_id}/score": ["post"],
        "/v1/session/count": ["post"],
        "/v1/session/query": ["post"],
    } == {path: sorted(operations) for path, operations in document["paths"].items()}
    asked = document["paths"]["/v1/request/query"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/RequestQuery"} == asked


def test_the_page_of_routes_loads_nothing_from_elsewhere(house: House) -> None:
    """The page names the routes and works without a network."""
    page = house.http.get("/docs").text

    assert ("/v1/request/query-clickhouse" in page, "http://" in page, "https://" in page, "<script" in page) == (
        True, False, False, False,
    )  # fmt: skip

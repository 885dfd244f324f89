"""The app as a whole: health, its description, and failures of every kind in one shape."""

from pathlib import Path

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

    routes = {f"{method} {path}" for path, operations in document["paths"].items() for method in operations}
    expected = set((Path(__file__).parent / "routes.txt").read_text().split("\n")) - {""}

    assert expected == routes
    asked = document["paths"]["/v1/request/query"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/RequestQuery"} == asked


def test_the_description_tells_the_failure_that_is_answered(house: House) -> None:
    """A body that is wrong has a 422 everywhere, of the shape that is described, and never the framework's 400."""
    document = house.http.get("/download/swagger.json").json()
    told = [operation["responses"] for methods in document["paths"].values() for operation in methods.values()]
    answer = house.http.post("/v1/request/query", json={"filter": {"request_response_rmt": {"no": {"equals": 1}}}})

    assert not [responses for responses in told if "400" in responses]
    shape = document["paths"]["/v1/request/query"]["post"]["responses"]["422"]["content"]["application/json"]["schema"]
    assert (422, set(shape["required"])) == (answer.status_code, answer.json().keys())
    assert shape["properties"]["message"]["const"] == answer.json()["message"]
    assert ["filter.request_response_rmt.no"] == list(answer.json()["details"])


def test_the_page_of_routes_loads_nothing_from_elsewhere(house: House) -> None:
    """The page names the routes and works without a network."""
    page = house.http.get("/docs").text

    assert ("/v1/request/query-clickhouse" in page, "http://" in page, "https://" in page, "<script" in page) == (
        True, False, False, False,
    )  # fmt: skip

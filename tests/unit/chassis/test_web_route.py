"""Routes: declared rightly or not at all; ETags; the OpenAPI document."""

import json
import logging
from typing import Annotated
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI
from pydantic import create_model

from chassis.web.app import openapi_json
from chassis.web.auth import Caller, require
from chassis.web.etag import etag_of
from chassis.web.route import Router
from chassis.web.tokens import Principal
from tests.support.tokens import Issuer
from tests.support.web import app_of

WHEN = {"id": "00000000-0000-4000-8000-000000000001", "title": "标题", "at": "2026-10-09T00:00:00Z"}
PATH = f"/v1/notes/{WHEN['id']}"
NEW = {"title": "改"}


def test_a_route_without_a_guard_cannot_be_declared() -> None:
    async def open_to_all() -> None: ...

    with pytest.raises(TypeError, match="who may call it"):
        Router().get("/things")(open_to_all)


def test_a_route_with_two_guards_cannot_be_declared() -> None:
    async def twice(caller: Caller, other: Annotated[Principal, Depends(require("admin"))]) -> None: ...

    with pytest.raises(TypeError, match="once"):
        Router().get("/things")(twice)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_route_that_overwrites_without_if_match_cannot_be_declared(method: str) -> None:
    async def overwrite(id: UUID, caller: Caller) -> None: ...

    with pytest.raises(TypeError, match="If-Match"):
        getattr(Router(), method)("/things/{id}")(overwrite)


async def test_a_get_answers_with_the_etag_of_its_body(admin: httpx.AsyncClient) -> None:
    for path in (PATH, "/v1/notes"):
        answer = await admin.get(path)
        assert answer.headers["etag"] == etag_of(answer.content)
        assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "*"])
async def test_what_the_caller_has_is_not_sent_again(admin: httpx.AsyncClient, form: str) -> None:
    tag = (await admin.get(PATH)).headers["etag"]
    answer = await admin.get(PATH, headers={"if-none-match": form.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert (await admin.get(PATH, headers={"if-none-match": '"other"'})).status_code == 200


async def test_the_etag_of_the_get_opens_the_put(admin: httpx.AsyncClient) -> None:
    tag = (await admin.get(PATH)).headers["etag"]
    for good in (tag, f'"other", {tag}', "*"):
        assert (await admin.put(PATH, json=NEW, headers={"if-match": good})).status_code == 200
    for stale in ('"other"', f"W/{tag}", "", tag.strip('"')):
        answer = await admin.put(PATH, json=NEW, headers={"if-match": stale})
        assert (answer.status_code, answer.json()["type"]) == (412, "/problems/precondition-failed")


async def test_what_was_overwritten_is_answered_with_its_new_etag(admin: httpx.AsyncClient) -> None:
    answer = await admin.put(f"{PATH}/title", json=NEW, headers={"if-match": "*"})
    assert answer.headers["etag"] == etag_of(answer.content)
    other = await admin.put(PATH, json=NEW, headers={"if-match": "*"})
    assert (other.status_code, "etag" in other.headers) == (200, False), "that is not what a GET shows"


@pytest.mark.parametrize("path", [PATH, "/v1/notes?limit=3", "/openapi.json", "/problems/not-found", "/v1/notes/17"])
async def test_head_is_answered_as_get_without_the_body(
    admin: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chassis")
    got, head = await admin.get(path), await admin.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers == got.headers
    seen = [vars(record) for record in caplog.records if record.getMessage() == "request"]
    assert [line["method"] for line in seen] == ["GET", "HEAD"]
    assert seen[0]["route"] == seen[1]["route"]


async def test_head_asks_for_a_token_and_for_a_route_that_reads(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    assert (await stranger.head(PATH)).status_code == 401
    refused = await admin.head(f"{PATH}/lock")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await admin.delete("/v1/notes")).headers["allow"] == "GET, HEAD, POST"
    tag = (await admin.head(PATH)).headers["etag"]
    assert (await admin.head(PATH, headers={"if-none-match": tag})).status_code == 304


async def test_a_put_without_if_match_is_428(admin: httpx.AsyncClient) -> None:
    answer = await admin.put(PATH, json=NEW)
    assert (answer.status_code, answer.json()["type"]) == (428, "/problems/precondition-required")


def test_the_openapi_document_is_the_same_each_time(app: FastAPI, issuer: Issuer) -> None:
    from tests.unit.chassis.notes import router

    assert openapi_json(app) == openapi_json(app_of(issuer, router))


def test_two_schemas_of_one_name_are_refused(issuer: Issuer) -> None:
    router = Router()
    for name in ("one", "another"):

        async def show(caller: Caller) -> None: ...

        show.__name__ = name
        router.get(f"/{name}", response_model=create_model("NoteView", **{name: (int, ...)}))(show)
    with pytest.raises(ValueError, match="bear one name"):
        openapi_json(app_of(issuer, router))


def test_the_openapi_document_says_what_every_route_shares(app: FastAPI) -> None:
    document = json.loads(openapi_json(app))
    assert document["components"]["securitySchemes"]["bearer"] | {"description": ""} == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "",
    }
    assert "HTTPValidationError" not in document["components"]["schemas"]
    add, change = document["paths"]["/v1/notes"]["post"], document["paths"]["/v1/notes/{id}"]["put"]
    assert add["operationId"] == "add_note"
    assert add["tags"] == ["notes"]
    assert add["security"] == [{"bearer": []}]
    assert add["x-roles"] == ["admin", "callback", "handler", "integration", "supervisor", "visitor"]
    assert {"201", "400", "401", "403", "404", "409", "413", "415", "422", "503"} == set(add["responses"])
    assert set(change["responses"]) - set(add["responses"]) == {"200", "412", "428"}
    assert {"Idempotency-Key": False, "If-Match": True}.items() <= {
        parameter["name"]: parameter.get("required", False) for parameter in change["parameters"]
    }.items()
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert response == {"$ref": f"#/components/responses/Problem{status}"}, "each is said once"
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_two_routes_cannot_have_one_operation_id(issuer: Issuer) -> None:
    first, second = Router(prefix="/first"), Router(prefix="/second")
    for router in (first, second):

        @router.get("")
        async def read(caller: Caller) -> None: ...

    with pytest.raises(UserWarning, match="read"):
        openapi_json(app_of(issuer, first, second))


async def test_the_document_and_its_page_need_no_token(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/openapi.json")).json()["info"]["title"] == "Testing"
    assert (await stranger.get("/docs")).status_code == 200
    assert (await stranger.get(f"/v1/notes/{uuid4()}")).status_code == 401

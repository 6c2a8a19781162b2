"""Problems: one form, two languages, context kept, nothing about the inside."""

import logging
from uuid import uuid4

import httpx
import pytest

from chassis.web.errors import NotFound, Problem, Words


async def test_a_problem_keeps_its_context_as_members(admin: httpx.AsyncClient) -> None:
    note = uuid4()
    answer = await admin.post(f"/v1/notes/{note}/lock", headers={"accept-language": "en"})
    assert answer.status_code == 409
    problem = answer.json()
    assert len(problem.pop("trace_id")) == 32
    assert problem == {
        "type": "/problems/note-locked",
        "title": "The note is locked",
        "status": 409,
        "detail": f"Note {note} is locked by 张三{{0}}.",
        "note": str(note),
        "holder": "张三{0}",
    }


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "zh-CN"),
        ("*", "zh-CN"),
        ("fr", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en;q=0.5, zh-TW;q=0.6", "zh-CN"),
        ("en;q=nonsense", "zh-CN"),
    ],
)
async def test_the_title_is_in_the_callers_language(
    admin: httpx.AsyncClient, accepted: str | None, language: str
) -> None:
    headers = {} if accepted is None else {"accept-language": accepted}
    answer = await admin.get("/v1/notes/17", headers=headers)
    assert answer.headers["content-language"] == language
    assert answer.json()["title"] == ("Not found" if language == "en" else "未找到")
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN", "最多 20 个字符"), ("en", "String should have at most 20 characters")]
)
async def test_a_field_error_is_in_the_callers_language(admin: httpx.AsyncClient, language: str, said: str) -> None:
    answer = await admin.post("/v1/notes", json={"title": "x" * 21}, headers={"accept-language": language})
    assert answer.json()["errors"][0]["detail"] == said


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN", "应为以下之一：'short' 或 'long'"), ("en", "Input should be 'short' or 'long'")]
)
async def test_a_choice_is_listed_in_the_callers_language(admin: httpx.AsyncClient, language: str, said: str) -> None:
    body = {"title": "x", "kind": "endless"}
    answer = await admin.post("/v1/notes", json=body, headers={"accept-language": language})
    assert answer.json()["errors"][0]["detail"] == said


async def test_what_went_wrong_inside_is_logged_and_not_told(
    admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await admin.get("/v1/notes/fail/bug")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert set(answer.json()) == {"type", "title", "status", "trace_id"}
    (logged,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], ValueError)


async def test_an_outage_is_503_with_retry_after(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/v1/notes/fail/outage")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "10.0.0.7" not in answer.text


async def test_an_unreachable_database_is_503_with_retry_after(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/v1/notes/needs/database")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_the_type_of_a_problem_leads_to_its_description(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/problems/note-locked")
    assert answer.json() == {
        "type": "/problems/note-locked",
        "status": 409,
        "title": {"zh": "便笺已锁定", "en": "The note is locked"},
    }
    assert (await stranger.get("/problems/none-such")).status_code == 404


def test_two_problems_cannot_share_a_type() -> None:
    with pytest.raises(TypeError, match="not-found"):
        type("Another", (NotFound,), {"slug": "not-found"})


def test_every_problem_says_itself_in_both_languages() -> None:
    for kind in Problem.known.values():
        assert isinstance(kind.title, Words)
        assert kind.title.zh != kind.title.en
        assert 400 <= kind.status <= 599

"""Texts as data: published for good, the latest in force; a failing one gives way and is told of."""

from typing import Any

from prometheus_client import REGISTRY

from tests.integration.notifier.office import CITY, STATION, Appeal, Office

TEXT = {
    "event_type": "deadline.breached",
    "channel": "mailbox",
    "language": "zh-CN",
    "subject": "超期：{{ matter }}",
    "body": "{{ matter }} 应在 {{ due }} 前{{ milestone }}。{% if late %}{{ late }}{% endif %}",
}


def admin(office: Office, unit: str = CITY) -> Any:
    return office.client("admin", unit=unit, sub="A1")


async def test_a_published_text_is_in_force_at_once_and_its_versions_stay(office: Office, appeal: Appeal):
    made = await admin(office).post("templates", json=TEXT)
    assert (made.status_code, made.json()["version"], made.json()["published_by"]) == (201, 2, "A1")
    await office.hear(appeal.opened(), appeal.breached())
    (letter,) = await office.mailbox()
    assert letter["subject"] == "超期：投诉 V00000001"
    versions = (await admin(office).get("templates/deadline.breached.mailbox.zh-CN/versions")).json()["items"]
    assert [(its["version"], its["by"]) for its in versions] == [(1, None), (2, "A1")]
    assert versions[0]["subject"].startswith("【已超期】")
    assert (await admin(office, STATION).post("templates", json=TEXT)).status_code == 403


async def test_a_text_that_would_fail_is_refused_and_says_why(office: Office):
    for change, pointer, code in (
        ({"subject": "{{ customer_name }}"}, "/subject", "template_unknown_variable"),
        ({"body": "{{ matter.__class__ }}"}, "/body", "template_forbidden"),
        ({"body": "{% if late %}"}, "/body", "template_syntax"),
        (
            {"event_type": "digest", "subject": "{{ count }}", "body": "{{ matter }}"},
            "/body",
            "template_unknown_variable",
        ),
        ({"event_type": "weather.changed"}, "/event_type", "literal_error"),
        ({"body": ""}, "/body", "string_too_short"),
    ):
        for path in ("templates", "templates/preview"):
            answer = await admin(office).post(path, json=TEXT | change)
            assert answer.status_code == 422, (change, answer.text)
            assert [(its["pointer"], its["code"]) for its in answer.json()["errors"]] == [(pointer, code)]


async def test_a_preview_fills_a_text_with_sample_data_and_stores_nothing(office: Office):
    answer = await office.client("visitor").post("templates/preview", json=TEXT)
    assert (answer.status_code, answer.json()["subject"]) == (200, "超期：投诉 V00000001")
    assert answer.json()["params"]["milestone"] == "联系客户"
    shown = (await office.client("visitor").get("templates/deadline.breached.mailbox.zh-CN")).json()
    assert shown["version"] == 1


async def test_a_text_that_fails_when_it_is_sent_gives_way_to_a_plain_one_and_that_is_an_alarm(
    office: Office, appeal: Appeal
):
    await office.sql("UPDATE templates SET subject = '{{ gone }}', version = 7 WHERE id LIKE 'deadline.breached.mail%'")
    label = "deadline.breached.mailbox@7"
    before = REGISTRY.get_sample_value("notifier_template_failures_total", {"template": label}) or 0.0
    await office.hear(appeal.opened(), appeal.breached())
    (letter,) = await office.mailbox()
    assert letter["subject"] == "已超期 · 投诉 V00000001"
    (told,) = await office.said("notification.text_failed.v1")
    assert (told["template"], told["send_id"], told["unit_code"]) == (label, letter["send_id"], STATION)
    assert REGISTRY.get_sample_value("notifier_template_failures_total", {"template": label}) == before + 1

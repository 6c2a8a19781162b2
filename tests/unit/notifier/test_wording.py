"""Texts: in human words, with Chinese time, complete in both languages, and refused when they could fail."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from notifier.channels.providers import BY_ACCOUNT, MAILBOX
from notifier.directory.audience import AUDIENCES, LADDER_AUDIENCES
from notifier.names import ChannelName
from notifier.routes.events import LADDER, TELLABLE
from notifier.routes.rules import FALLBACK
from notifier.routes.shipped import shipped
from notifier.templates import catalogue, sandbox
from notifier.templates.catalogue import LANGUAGES
from notifier.templates.sandbox import BadTemplate
from notifier.templates.wording import (
    ANY,
    VARIABLES,
    Book,
    Language,
    Notice,
    Wording,
    bears_link,
    variables,
    with_link,
)

CHANNELS = {"mailbox"}


def book(code: catalogue.LanguageCode, *more: Wording) -> Book:
    language = catalogue.language(code)
    return Book(language.words, [*language.templates, *more])


def notice(**changed: Any) -> Notice:
    its = {
        "event": "deadline.breached",
        "subject_kind": "appeal",
        "subject_id": "0199c6a0-0000-7000-8000-000000000006",
        "number": "V00000001",
        "appeal_type": "complaint",
        "milestone": "answer",
        "due_at": datetime.fromisoformat("2026-10-20T00:00:00+08:00"),
        "step": "due",
        "late": False,
        "unit": "37401",
        "round": 1,
    }
    return Notice(**(its | changed))


def test_a_chinese_message_names_matter_milestone_and_the_end_of_the_day():
    text = book("zh-CN").write(notice(), "mailbox")
    assert text.subject == "【已超期】投诉 V00000001：未在 2026-10-19 24:00 前答复客户"
    assert "37401" in text.body
    assert "补发" not in text.body


def test_an_english_message_says_the_same():
    text = book("en").write(notice(late=True), "mailbox")
    assert text.subject == "Overdue: Complaint V00000001 — answer the customer was due by 2026-10-19 24:00"
    assert "Missed while the system was down" in text.body


def test_what_was_past_when_it_was_heard_of_is_not_laid_on_an_outage():
    for code, said, not_said in (("zh-CN", "得知时期限已过", "停运"), ("en", "past already", "down")):
        body = book(code).write(notice(late=True, late_arrival=True), "mailbox").body
        assert said in body
        assert not_said not in body


def test_who_is_to_follow_up_reads_that_the_customer_was_not_satisfied():
    followed = notice(event="appeal.callback_asked", kind="follow_up", milestone=None, due_at=None, step=None)
    asked = msgspec.structs.replace(followed, kind="callback")
    for code, words in (("zh-CN", "不满意"), ("en", "not satisfied")):
        assert words in book(code).write(followed, "mailbox").subject
        assert words not in book(code).write(asked, "mailbox").subject
        assert words in book(code).merge([asked, followed], "mailbox", listed=1).body, "where it is only counted, too"


def test_codes_without_a_word_and_numbers_not_heard_are_shown_as_they_are():
    text = book("en").write(notice(number=None, appeal_type=None, milestone="hearing"), "mailbox")
    assert "Appeal 0199c6a0-0000-7000-8000-000000000006" in text.subject
    assert "hearing" in text.subject


def test_several_messages_make_a_digest_that_says_all_of_them():
    its = book("zh-CN")
    notices = [notice(number=number) for number in ("V1", "V2")]
    one, other = (its.write(each, "mailbox") for each in notices)
    assert its.merge(notices[:1], "mailbox") == one
    digest = its.merge(notices, "mailbox")
    assert digest.subject == f"【2 条提醒】{one.subject} 等"
    assert all(part in digest.body for part in (one.subject, one.body, other.subject, other.body))


def test_a_digest_of_very_many_says_the_first_and_counts_the_rest_by_kind():
    many = [notice(number=f"V{number}") for number in range(10_000)]
    many += [notice(event="deadline.warned", appeal_type="report", milestone="contact")] * 7
    digest = book("zh-CN").merge(many, "mailbox")
    assert digest.subject.startswith("【10007 条提醒】")
    assert "投诉 V19" in digest.body
    assert "V20" not in digest.body
    assert "另有 9987 条" in digest.body
    assert "已超期 · 投诉 · 答复客户: 9980\n临期提醒 · 举报 · 联系客户: 7" in digest.body
    assert len(digest.body) < 5000


def test_what_is_filled_in_is_never_read_as_a_template():
    text = book("en").write(notice(number="{{ due }} $due"), "mailbox")
    assert "{{ due }} $due" in text.subject


def test_everything_that_can_be_told_has_a_text_of_its_own_or_a_common_one_in_every_language():
    for code in catalogue.LANGUAGES:
        its = catalogue.language(code)
        own = {wording.event for wording in its.templates}
        assert {*LADDER, ANY, "digest"} <= own
        for wording in its.templates:
            wording.check()
        for event in TELLABLE:
            bare = notice(event=event, milestone=None, due_at=None, step=None)
            assert book(code).write(bare, "pigeon").subject
        assert {route.event_type for route in shipped()} <= its.words.event.keys()


def test_a_channel_goes_by_its_own_text_else_by_that_of_the_mailbox():
    sms = Wording(event="deadline.breached", channel="sms", subject="{{ event }}", body="{{ matter }}")
    text = book("zh-CN", sms).write(notice(), "sms")
    assert (text.subject, text.params["due"]) == ("已超期", "2026-10-19 24:00")
    assert book("zh-CN", sms).write(notice(event="deadline.warned"), "sms").subject.startswith("【临期提醒】")


def test_a_text_that_fails_gives_way_to_a_plain_one_and_is_remembered():
    broken = Wording(event="deadline.breached", channel="mailbox", subject="{{ nobody }}", body="-", version=3)
    its = book("zh-CN", broken)
    text = its.write(notice(), "mailbox")
    assert text.body == "已超期 · 投诉 V00000001 · 答复客户 · 2026-10-19 24:00"
    assert its.failed == ["deadline.breached.mailbox@3"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ secret }}", "unknown_variable"),
        ("{{ matter.__class__ }}", "forbidden"),
        ("{{ matter['x'] }}", "forbidden"),
        ("{{ matter() }}", "forbidden"),
        ("{{ matter|attr('x') }}", "forbidden"),
        ("{{ matter|center(1000000000) }}", "forbidden"),
        ("{{ 'x' * 1000000000 }}", "forbidden"),
        ("{% for x in matter %}x{% endfor %}", "forbidden"),
        ("{% set matter = 1 %}", "forbidden"),
        ("{% include 'x' %}", "forbidden"),
        ("{{ range(9) }}", "forbidden"),
        ("{{ due", "syntax"),
        ("{% if late %}", "syntax"),
        ("{{ matter|nonsense }}", "forbidden"),
    ],
)
def test_a_template_that_could_fail_or_looks_behind_its_variables_is_refused(template: str, reason: str):
    with pytest.raises(BadTemplate) as refused:
        sandbox.check(template, VARIABLES)
    assert refused.value.reason == reason


def test_a_link_is_for_customers_who_may_rate_an_answer_and_stays_as_it_is():
    texts = {code: book(code).write(notice(event="appeal.callback_asked", customer=True), "sms") for code in LANGUAGES}
    assert [bears_link(text.body) for text in texts.values()] == [True, True]
    assert with_link(texts["en"].body, "https://a.example/c/x").endswith(": https://a.example/c/x")
    for event in ("appeal.callback_asked", "deadline.breached", "digest", "customer:digest", "customer:appeal.closed"):
        with pytest.raises(BadTemplate, match="unknown_variable"):
            sandbox.check("{{ link }}", variables(event))
    wording = Wording(event="customer:appeal.answered", channel="sms", subject="-", body="{{ (link)|upper }}")
    with pytest.raises(BadTemplate, match="forbidden"):
        wording.check()


def test_what_templates_may_do_is_done():
    template = "{% if late and round > 1 %}{{ late }}{% else %}{{ matter|upper|truncate(5) }}{% endif %} 100 $ #"
    sandbox.check(template, VARIABLES)
    assert sandbox.fill(template, {"late": "", "round": 1, "matter": "abcdefghijk"}).startswith("AB")


def test_a_malformed_document_is_refused():
    with pytest.raises(BadTemplate):
        Language.read({"words": {}})


def test_every_event_and_audience_of_a_ladder_has_a_shipped_route():
    routes = {(route.event_type, route.audience) for route in shipped()}
    assert {route for route in routes if route[0] in LADDER} == {(e, a) for e in LADDER for a in LADDER_AUDIENCES}
    assert {event for event, _ in routes} <= {*TELLABLE}
    assert {audience for _, audience in routes} <= {*AUDIENCES}
    assert all(set(route.channels) <= CHANNELS for route in shipped() if route.audience != "customer")


def test_routes_may_name_exactly_the_channels_there_are():
    assert {MAILBOX, *BY_ACCOUNT} == set(ChannelName.__args__)
    assert set(FALLBACK) <= set(ChannelName.__args__)

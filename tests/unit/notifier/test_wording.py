"""Texts: in human words, with Chinese time, complete in both languages, and refused when they could fail."""

from datetime import datetime
from typing import Any

import pytest

from notifier.channels.registry import channels
from notifier.deliveries.loops import TOLD
from notifier.routes.schemas import ChannelName
from notifier.routes.service import FALLBACK
from notifier.routes.shipped import shipped
from notifier.templates import catalogue
from notifier.templates.wording import BadTemplate, Language, Notice

CHANNELS = {"mailbox"}


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
    text = catalogue.language("zh-CN").write(notice(), "mailbox")
    assert text.subject == "【已超期】投诉 V00000001：未在 2026-10-19 24:00 前答复客户"
    assert "37401" in text.body
    assert "补发" not in text.body


def test_an_english_message_says_the_same():
    text = catalogue.language("en").write(notice(late=True), "mailbox")
    assert text.subject == "Overdue: Complaint V00000001 — answer the customer was due by 2026-10-19 24:00"
    assert "Missed while the system was down" in text.body


def test_codes_without_a_word_and_numbers_not_heard_are_shown_as_they_are():
    text = catalogue.language("en").write(notice(number=None, appeal_type=None, milestone="hearing"), "mailbox")
    assert "Appeal 0199c6a0-0000-7000-8000-000000000006" in text.subject
    assert "hearing" in text.subject


def test_several_messages_make_a_digest_that_says_all_of_them():
    language = catalogue.language("zh-CN")
    notices = [notice(number=number) for number in ("V1", "V2")]
    one, other = (language.write(its, "mailbox") for its in notices)
    assert language.merge(notices[:1], "mailbox") == one
    digest = language.merge(notices, "mailbox")
    assert digest.subject == f"【2 条提醒】{one.subject} 等"
    assert all(part in digest.body for part in (one.subject, one.body, other.subject, other.body))


def test_a_digest_of_very_many_says_the_first_and_counts_the_rest_by_kind():
    many = [notice(number=f"V{number}") for number in range(10_000)]
    many += [notice(event="deadline.warned", appeal_type="report", milestone="contact")] * 7
    digest = catalogue.language("zh-CN").merge(many, "mailbox")
    assert digest.subject.startswith("【10007 条提醒】")
    assert "投诉 V19" in digest.body
    assert "V20" not in digest.body
    assert "另有 9987 条" in digest.body
    assert "已超期 · 投诉 · 答复客户: 9980\n临期提醒 · 举报 · 联系客户: 7" in digest.body
    assert len(digest.body) < 5000


def test_dollars_in_what_is_filled_in_stay_dollars():
    text = catalogue.language("en").write(notice(number="$due"), "mailbox")
    assert "$due" in text.subject


def test_everything_that_is_told_has_a_text_on_every_channel_in_every_language():
    catalogue.check(TOLD, CHANNELS)
    with pytest.raises(BadTemplate, match="lacks"):
        catalogue.check([*TOLD, "deadline.forgotten"], CHANNELS)
    with pytest.raises(BadTemplate, match="lacks"):
        catalogue.check(TOLD, ["pigeon"])


@pytest.mark.parametrize("subject", ["$secret", "$customer_name", "100 $", "${due"])
def test_a_template_that_could_fail_is_refused_when_it_is_read(subject: str):
    document = {
        "words": {"matter": {}, "milestone": {}, "late": ""},
        "templates": [{"event": "deadline.warned", "channel": "mailbox", "subject": subject, "body": "$due"}],
        "digests": [],
    }
    with pytest.raises(BadTemplate):
        Language.read(document)


def test_a_malformed_document_is_refused():
    with pytest.raises(BadTemplate):
        Language.read({"words": {}})


def test_every_event_and_audience_of_a_ladder_has_a_shipped_route():
    audiences = ("owner", "unit_supervisors", "parent_unit_supervisors")
    assert {(route.event_type, route.audience) for route in shipped()} == {(e, a) for e in TOLD for a in audiences}
    assert all(set(route.channels) <= CHANNELS for route in shipped())


def test_routes_may_name_exactly_the_channels_there_are():
    class NoRuntime:
        db = clock = None

    assert set(channels(NoRuntime())) == CHANNELS == set(ChannelName.__args__)
    assert set(FALLBACK) <= CHANNELS

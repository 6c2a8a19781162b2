"""What goes to one person goes as one message, where there are words for several."""

import re
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from notifier.channels.port import Code, Terms
from notifier.deliveries import merging
from notifier.templates.wording import Text
from tests.conftest import START

CODES = {its.event_type: its for its in (Code("deadline.warned", "SMS_1", ("due", "matter")), Code("*", "SMS_2"))}
ACCOUNT = uuid4()
TEXT = Text("subject", "body", {"matter": "V1", "due": "24:00", "unit": "37"})


def row(event: str = "deadline.warned", recipient: str = "H1", kind: str = "staff") -> Any:
    its = {"id": uuid4(), "event_type": event, "recipient": recipient, "due_at": None, "at": START, "heard": 1}
    return SimpleNamespace(**its, handling_unit_code="37", recipient_kind=kind, subject_id=uuid4())


def noted(recipient: str) -> Any:
    its = row(recipient=recipient)
    names = (
        "subject_kind",
        "number",
        "appeal_type",
        "milestone",
        "step",
        "late",
        "round",
        "late_arrival",
        "kind",
        "scheduled_at",
    )
    return SimpleNamespace(**vars(its), **dict.fromkeys(names))


def groups(terms: Terms) -> list[int]:
    rows = [row(), row(), row(recipient="H2")]
    return sorted(len(group) for group, _ in merging.together(rows, {"37": terms}))


def test_without_a_code_for_several_each_goes_alone() -> None:
    digest = {**CODES, "digest": Code("digest", "SMS_3")}
    assert groups(Terms(ACCOUNT, coded=True, codes=CODES)) == [1, 1, 1]
    assert groups(Terms(ACCOUNT, coded=True, codes=digest)) == [1, 2]
    assert groups(Terms(ACCOUNT, codes=CODES)) == [1, 2], "this one says any text"


def test_a_code_is_that_of_the_account_and_is_filled_in_the_order_of_its_provider() -> None:
    terms = Terms(ACCOUNT, codes=CODES)
    code, params = merging.coded([row()], TEXT, terms)
    assert (code, list(params.items())) == ("SMS_1", [("due", "24:00"), ("matter", "V1")])
    assert merging.coded([row("appeal.urged")], TEXT, terms) == ("SMS_2", TEXT.params)
    assert merging.coded([row(), row()], TEXT, terms) == (None, {}), "what is for one event is not for several"
    assert merging.coded([row()], TEXT, Terms(uuid4())) == (None, {}), "another account has other codes"


def test_customers_have_texts_of_their_own_and_a_link_only_where_the_text_is_for_them_alone() -> None:
    text = Text("subject", "body", {"matter": "V1", "link": "{link}"})
    customer = row("appeal.callback_asked", kind="customer")
    assert merging.coded([customer], text, Terms(ACCOUNT, codes=CODES)) == ("SMS_2", {"matter": "V1"})
    own = {**CODES, "customer:appeal.callback_asked": Code("customer:appeal.callback_asked", "SMS_4")}
    assert merging.coded([customer], text, Terms(ACCOUNT, codes=own)) == ("SMS_4", text.params)
    assert merging.coded([row("appeal.callback_asked")], text, Terms(ACCOUNT, codes=own))[0] == "SMS_2"


def test_a_link_is_never_cut() -> None:
    terms = Terms(ACCOUNT, bytes=600)
    text = merging._cut(Text("请评价", "很长" * 200 + "{link}。"), 600)
    assert text.body.endswith("… {link}")
    assert merging._size(text) <= terms.bytes  # type: ignore[operator]


def test_no_name_is_cut_and_the_message_is_there_also_where_a_group_is_large() -> None:
    class Said:
        def merge(self, *_: Any) -> Text:
            return Text("【临期提醒】", "投诉 V1", {})

    said = merging.written(
        [noted(f"H{number}") for number in range(500)], "wecom", Said(), Terms(ACCOUNT, bytes=4096, calls="<@{}>")
    )
    called, _, message = said.body.partition("\n")
    assert message == "投诉 V1"
    assert 200 < len(called.split()) < 500
    assert all(re.fullmatch("<@H[0-9]+>", each) for each in called.split())

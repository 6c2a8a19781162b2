"""The table in the docs says what the shipped routes do."""

import re
from pathlib import Path

from notifier.directory.audience import AUDIENCES
from notifier.routes.shipped import shipped

DOCUMENT = Path(__file__).parents[3] / "docs" / "who-is-told.md"


def test_the_reviewed_table_is_that_of_the_shipped_routes() -> None:
    rows = [line.split("|")[1:3] for line in DOCUMENT.read_text().splitlines() if re.match(r"\| `\w+\.", line)]
    told = {(event.strip(" `"), audience) for event, its in rows for audience in re.findall(r"`(\w+)`", its)}
    assert told == {(route.event_type, route.audience) for route in shipped()}
    by = {(route.audience == "customer", *route.channels, route.active) for route in shipped()}
    assert by == {(False, "mailbox", True), (True, "sms", False)}, "nothing is sent to citizens before somebody says so"


def test_every_audience_is_explained() -> None:
    explained = set(re.findall(r"^\| `([\w:<>]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert {*AUDIENCES} <= explained

"""The standard as data: its codes, its checklists, and what is asked of which visit."""

from itertools import product
from pathlib import Path

import pytest
import yaml

from visit_api.standard import contents
from visit_api.standard.asked import CHECKLISTS, STEPS, asked
from visit_api.standard.checklists import ITEMS, SHEETS, sheet

CLAUSES = yaml.safe_load((Path(__file__).parents[2] / "conformance" / "clauses.yaml").read_text())[0]["clauses"]
CHANNELS, DIRECTIONS = ("on_site", "phone", "online"), ("outbound", "inbound")


@pytest.mark.clause("5.1", "5.2", "5.3", "5.4", "7.2.2")
def test_the_codes_are_as_many_as_the_clauses_list() -> None:
    counts = {name: len(getattr(contents, name)) for name in ("NEEDS", "POLICIES", "SERVICES", "TOPICS", "INDUSTRIES")}
    assert counts == {"NEEDS": 6, "POLICIES": 8, "SERVICES": 7, "TOPICS": 12, "INDUSTRIES": 20}


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_clause_of_a_channel_is_asked_by_an_item(channel: str) -> None:
    section = {"on_site": "6.1.3.", "phone": "6.2.2.", "online": "6.3.2."}[channel]
    # Calls that were missed or came out of hours are obligations, not items.
    asks = {clause for clause in CLAUSES if clause.startswith(section)} - {"6.2.2.3", "6.2.2.4"}
    assert {item.clause for item in SHEETS[channel]} == asks
    assert all(channel in item.channels for item in SHEETS[channel])


def test_conduct_and_confidence_are_asked_by_items() -> None:
    # First contact (8.2.4) is recorded as it happens.
    asks = {clause for clause in CLAUSES if clause.startswith("8.2.")} - {"8.2.4"}
    assert {item.clause for item in SHEETS["conduct"]} == asks
    assert {item.clause for item in SHEETS["confidentiality"]} == {"8.1.4"}
    assert len(ITEMS) == sum(map(len, SHEETS.values())), "no code stands for two items"


def test_how_somebody_looked_is_not_asked_of_a_call() -> None:
    unseen = {item.code for item in SHEETS["conduct"]} - {item.code for item in sheet("conduct", "phone")}
    assert unseen == {"conduct.appearance", "conduct.badge"}
    assert sheet("conduct", "on_site") == SHEETS["conduct"]


@pytest.mark.clause("7.1", "8.1.3")
@pytest.mark.parametrize(
    ("direction", "form", "steps"),
    [
        ("outbound", "ordinary", ["publicise", "needs", "appeals", "strategy"]),
        ("outbound", "directed", ["publicise", "needs", "promotion", "appeals", "strategy"]),
        ("outbound", "special", ["publicise", "needs", "appeals", "strategy"]),
        ("inbound", "ordinary", ["appeals", "strategy"]),
    ],
)
def test_what_is_asked_of_a_visit(direction: str, form: str, steps: list[str]) -> None:
    for channel in CHANNELS:
        assert [row.what for row in asked(STEPS, channel, direction, form)] == steps
        sheets = [row.what for row in asked(CHECKLISTS, channel, direction, form)]
        assert sheets == [channel, "conduct", "confidentiality"]


def test_an_ordinary_visit_has_a_strategy_where_it_heard_a_need() -> None:
    for channel, direction in product(CHANNELS, DIRECTIONS):
        rows = [row for row in asked(STEPS, channel, direction, "ordinary") if row.what == "strategy"]
        assert [row.where_needs_were_heard for row in rows] == [True]


def test_every_row_names_a_clause() -> None:
    headings = {clause.rpartition(".")[0] for clause in CLAUSES}
    assert {row.clause for row in (*CHECKLISTS, *STEPS)} <= CLAUSES.keys() | headings
    assert {item.clause for item in ITEMS.values()} <= CLAUSES.keys()

"""The page about providers names all that an account may hold, and what it says of receipts is so."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from notifier.channels import gateway
from notifier.channels.providers import PROVIDERS, bounds
from notifier.deliveries.receiving import callback_key
from notifier.templates.wording import DIGEST_VARIABLES, LINKS, VARIABLES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "providers.md").read_text()
SECRET, PLACE = "whsec_" + "QUJD" * 8, "/v1/receipts/sms/0199c6a0-0000-7000-8000-000000000006"


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def rows(columns: int) -> dict[str, list[str]]:
    found = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    return {name: row for row in found if len(row) == columns for name in codes(row[0])}


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_setting_and_secret_is_named_and_which_may_be_left_out(name: str) -> None:
    its, row = PROVIDERS[name], rows(6)[name]
    assert codes(row[1]) == {its.channel}
    for cell, struct in ((row[2], its.settings), (row[3], its.secrets)):
        fields = msgspec.structs.fields(struct)
        optional = re.search(r"\[(.*)\]", cell)
        assert codes(cell) == {field.name for field in fields}
        assert codes(optional[1] if optional else "") == {field.name for field in fields if not field.required}


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_limit_is_told(name: str) -> None:
    row = rows(3)[name]
    assert int(row[1]) == bounds(name).bytes
    said = [(int(times), int(seconds)) for times, seconds in re.findall(r"(\d+) in (\d+) s", row[2])]
    assert said == [(limit.times, limit.seconds) for limit in bounds(name).limits]


def test_every_route_is_there() -> None:
    document = json.loads((ROOT / "contracts" / "openapi" / "notifier.json").read_text())["paths"]
    named = re.findall(r"`(GET|POST|PUT) (/v1/[^`]+)`", PAGE)
    assert len(named) > 3
    assert [(method, path) for method, path in named if method.lower() not in document.get(path, {})] == []


def test_every_variable_is_named() -> None:
    assert {*gateway.VARIABLES} == set(re.findall(r"`\$(\w+)`", PAGE))
    assert VARIABLES | DIGEST_VARIABLES | LINKS.keys() <= codes(PAGE)


def test_the_key_of_a_provider_that_cannot_sign_is_made_by_the_command_shown() -> None:
    [program] = re.findall(r"^python3 -c '(.*)' SECRET RECEIVES_AT$", PAGE, re.MULTILINE)
    made = subprocess.run([sys.executable, "-c", program, SECRET, PLACE], capture_output=True, text=True, check=True)
    account: Any = SimpleNamespace(receives_at=PLACE)
    assert made.stdout.strip() == callback_key(SECRET, account)

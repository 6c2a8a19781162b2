"""Exports of existing marketing systems, dirty lines included, as the generator beside this repository makes them: what
it says of each line is what becomes of it."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.settings import ROOT
from tests.integration.visit_api.test_imports import counts, faults, imported
from tests.integration.visit_api.world import World, made
from tests.support.missing import not_beside

GENERATOR = ROOT.parent / "shared" / "data" / "marketing_export.py"
LINES = 1000
# Field of ours -> column, in each style; codes are the source's.
STYLES: dict[str, tuple[str, str, dict[str, str]]] = {
    "c_cons.csv": ("sg186", "gb18030", {
        "customer_no": "CONS_NO", "name": "CONS_NAME", "unit_code": "ORG_NO", "sort": "CONS_SORT_CODE",
        "voltage": "VOLT_CODE", "status": "STATUS_CODE", "capacity": "CONTRACT_CAP", "transformer": "TG_NO"}),
    "cust.ndjson": ("m20", "utf-8", {
        "customer_no": "custNo", "name": "custName", "unit_code": "mgtOrgCode", "sort": "custType",
        "voltage": "voltCode", "status": "status", "capacity": "contractCap", "transformer": "tgNo"}),
    "yhda.csv": ("csg", "utf-8-sig", {
        "customer_no": "yhbh", "name": "yhmc", "unit_code": "gddwbm", "sort": "yhlbdm",
        "voltage": "dydjdm", "status": "yhztdm", "capacity": "htrl", "transformer": "tqbh"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that they are in, with what is expected of them."""
    if not GENERATOR.exists():
        not_beside("against exports of marketing systems: their generator is not beside this repository")
    folder = tmp_path_factory.mktemp("exports")
    options = ("--out", str(folder), "--customers", str(LINES), "--dirty", "0.08")
    subprocess.run([sys.executable, str(GENERATOR), *options], check=True)
    return folder


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text("utf-8"))


def said_in(folder: Path, name: str, bad: set[int]) -> dict[str, dict[str, str]]:
    """What the good lines of a file say, in the names and codes of ours, by customer number."""
    source, encoding, columns = STYLES[name]
    codes, is_csv = read(folder, "codes.json")[source], name.endswith(".csv")
    head, *lines = [b"", *(folder / name).read_bytes().splitlines()][is_csv:]
    found = {}
    for number, line in enumerate(lines, 1):
        if number not in bad:
            text = line.decode(encoding)
            names = head.decode(encoding).split(",")
            row = dict(zip(names, next(csv.reader([text])), strict=True)) if is_csv else json.loads(text)
            its = {field: codes.get(column, {}).get(row[column], row[column]) for field, column in columns.items()}
            found[its["customer_no"]] = its
    return found


async def stored(world: World) -> dict[str, dict[str, str]]:
    """The customers there are, in the same form."""
    found, query = {}, {"limit": "200"}
    while True:
        page = (await world.admin.get("/customers", params=query)).json()
        for each in page["items"]:
            its = {name: each[name] for name in ("customer_no", "name", "unit_code")}
            found[its["customer_no"]] = {**its, **each["supply"]}
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("name", STYLES)
async def test_every_line_of_an_export_becomes_what_its_generator_says(world: World, exports: Path, name: str) -> None:
    for unit in read(exports, "units.json"):
        if unit["parent_code"] is not None:
            await made(world.admin.post("/units", json=unit))
    expected = read(exports, "expected.json")[name]
    bad = [(each["line"], each["field"], each["reason"]) for each in expected["bad"]]
    assert len({reason for _, _, reason in bad}) == 8, "of each kind of dirt there is some"
    data = (exports / name).read_bytes()
    its = await imported(world, data)
    assert counts(its) == (expected["accepted"], 0, len(bad))
    assert await faults(world, its) == bad
    assert await stored(world) == said_in(exports, name, {number for number, _, _ in bad})
    assert counts(await imported(world, data)) == (0, expected["accepted"], len(bad)), "and it is safe to send again"

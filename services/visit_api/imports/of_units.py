"""Lines of units: laid aside while the file is read, for the unit above one may come after it; then made in the order
of the tree, some at a time."""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from visit_api.directory.bulk import Named, hold_tree, put_units
from visit_api.imports import repository
from visit_api.imports.mapping import Source
from visit_api.imports.models import Import
from visit_api.imports.outcome import Found, Outcome
from visit_api.imports.reading import Fault
from visit_api.imports.sifting import named_once
from visit_api.imports.tree import Wanted, order

_MOST = 5000  # units made in a transaction: nobody else changes one meanwhile


async def take(
    tx: AsyncSession,
    runtime: Runtime,
    its: Import,
    source: Source,
    found: Found,
    prepared: object,
    go_on: object,
    now: datetime,
) -> Outcome:
    """Lays units aside; what is stored of them is counted when they are made."""
    first, _, twice = await named_once(tx, its, source, found)
    # A file without that column moves nothing: None. An empty cell puts a unit at the top: "".
    rows = [(its.id, number, said["code"], said["name"], said.get("parent_code")) for number, said in first]
    await repository.lay_aside(tx, rows)
    return Outcome(0, 0, twice)


async def settle(tx: AsyncSession, runtime: Runtime, its: Import, source: Source, now: datetime) -> Outcome | None:
    """Makes some of what was laid aside; None where nothing is left. What can never be made is a fault."""
    aside = await repository.aside(tx, its.id)
    if not aside:
        return None
    tree = await hold_tree(tx)
    above = {code: named.parent_code for code, named in tree.items()}
    names = {line: name for line, _, name, _ in aside}
    wanted = [
        Wanted(line, code, above.get(code) if parent is None else parent or None) for line, code, _, parent in aside
    ]
    closed = {code: named.merged_into for code, named in tree.items() if named.merged_into is not None}
    sender = closed.get(its.unit_code, its.unit_code) if its.unit_code is not None else None
    ready, refused = await asyncio.to_thread(order, above, wanted, sender, closed)
    ready = ready[:_MOST]
    units = {each.code: Named(names[each.line], each.parent_code) for each in ready}
    new = {code: named for code, named in units.items() if tree.get(code) != named}
    await put_units(tx, runtime, new, now)
    columns = {"taken": source.number, "merged_unit": source.number}
    faults = {line: Fault(columns.get(why, source.columns["parent_code"]), why) for line, why in refused.items()}
    await repository.take_up(tx, its.id, [each.line for each in ready] + list(faults))
    return Outcome(len(new), len(units) - len(new), faults)

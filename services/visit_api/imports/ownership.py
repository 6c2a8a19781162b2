"""Which of several systems that speak of one customer is believed, field by field. Pure."""

from collections.abc import Mapping, Sequence

from visit_api.imports.reading import Said

SUPPLY = ("sort", "voltage", "status", "capacity", "transformer")
FIELDS = ("name", "unit_code", "phone", "address", "importance", *SUPPLY)
SHIPPED: Mapping[str, object] = {"fields": []}

Orders = Mapping[str, Sequence[str]]  # field -> the systems that come first, best first


def orders(content: Mapping[str, object]) -> Orders:
    """What a unit decided, by field."""
    rules: Sequence[Mapping[str, object]] = content["fields"]  # type: ignore[assignment]
    return {str(rule["field"]): [str(each) for each in rule["sources"]] for rule in rules}  # type: ignore[attr-defined]


def winners(order: Orders, owner: str, said: Mapping[str, Said]) -> dict[str, str]:
    """Which system's word counts for each field that any of them says something of: those that the rules name, in their
    order, then the `owner` of the customer number, then whoever else. An empty cell says nothing."""
    counts = {}
    for field in FIELDS:
        ranking = [*order.get(field, ()), owner, *sorted(said)]
        best = next((source for source in ranking if said.get(source, {}).get(field)), None)
        if best is not None:
            counts[field] = best
    return counts


def words_of(said: Said) -> Said:
    """What a line says. Where a system has no code for nobody's mark, a blank cell is no word that a customer is not
    important: a column that it leaves empty would take every mark away."""
    return {field: value for field, value in said.items() if value or field != "importance"}

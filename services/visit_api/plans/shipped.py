"""The rules that plans are made by where no unit decided otherwise. 000 says whom to visit and by which channels (§4,
§6), not how often: these numbers are ours, to begin with."""

from collections.abc import Mapping
from typing import Any


def _rule(name: str, kinds: list[str], channel: str, times: int, period: str = "year", **more: Any) -> dict[str, Any]:
    rule = {"name": name, "kinds": kinds, "importance": None, "channel": channel, "form": "ordinary"}
    return {**rule, "period": period, "times": times, **more}


_PARTNERS = ["partner.energy_body", "partner.source_grid_load_storage", "partner.academia"]

# As documents determine it (§3.2), and as customers bring it from elsewhere.
_MOST_IMPORTANT = ["special", "first", "特级", "一级"]

# Of the rules of one channel the first that fits a customer counts: what somebody is besides its kind comes first.
SHIPPED: Mapping[str, Any] = {
    "rules": [
        _rule("most-important", ["other.important"], "on_site", 6, importance=_MOST_IMPORTANT),
        _rule("important", ["other.important"], "on_site", 4),
        _rule("important-by-phone", ["other.important"], "phone", 1, "month"),
        _rule("at-risk", ["other.service_risk"], "on_site", 4),
        _rule("at-risk-by-phone", ["other.service_risk"], "phone", 1, "month"),
        _rule("government", ["government"], "on_site", 2),
        _rule("key-project", ["key_project"], "on_site", 4),
        _rule("partner", _PARTNERS, "on_site", 1),
        _rule("partner-online", _PARTNERS, "online", 2),
        _rule("special-group", ["other.special_group"], "on_site", 2),
        _rule("special-group-by-phone", ["other.special_group"], "phone", 4),
    ]
}

"""By which signs a customer may be one at risk (§4.4.2): counted from what was heard of its appeals. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec

_NEVER_WAS = frozenset({"void", "merged", "withdrawn"})  # outcomes after which an appeal counts for nothing


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From how many on a sign is one."""

    window_days: int
    complaints: int
    unresolved: int
    overdue: int
    reopened: int
    dissatisfied: int


@cache
def shipped() -> Thresholds:
    """The thresholds that the service comes with."""
    return msgspec.yaml.decode(files("visit_api.risks").joinpath("thresholds.yaml").read_bytes(), type=Thresholds)


class Heard(msgspec.Struct, frozen=True):
    """What was heard of one appeal."""

    appeal_id: UUID
    type: str
    received_at: datetime
    is_open: bool
    outcome: str | None
    overdue: bool
    reopened: int
    dissatisfied: int


def counting_since(now: datetime, thresholds: Thresholds) -> datetime:
    """From when on an appeal counts that is closed; one that is open counts whenever it was raised."""
    return now - timedelta(days=thresholds.window_days)


def reasons(appeals: Sequence[Heard], thresholds: Thresholds, now: datetime) -> list[dict[str, Any]]:
    """Each sign that is there, with its number, its threshold and the appeals it was counted from; JSON-ready."""
    since = counting_since(now, thresholds)
    counting = [one for one in appeals if one.outcome not in _NEVER_WAS and (one.is_open or one.received_at >= since)]
    signs = {
        "complained": ({one.appeal_id: 1 for one in counting if one.type == "complaint"}, thresholds.complaints),
        "unresolved_appeals": ({one.appeal_id: 1 for one in counting if one.is_open}, thresholds.unresolved),
        "overdue_appeals": ({one.appeal_id: 1 for one in counting if one.is_open and one.overdue}, thresholds.overdue),
        "reopened_appeals": ({one.appeal_id: one.reopened for one in counting if one.reopened}, thresholds.reopened),
        "dissatisfied": (
            {one.appeal_id: one.dissatisfied for one in counting if one.dissatisfied},
            thresholds.dissatisfied,
        ),
    }
    return [
        {
            "signal": signal,
            "count": sum(counted.values()),
            "threshold": threshold,
            "window_days": thresholds.window_days,
            "appeals": sorted(map(str, counted)),
        }
        for signal, (counted, threshold) in signs.items()
        if sum(counted.values()) >= threshold
    ]


def named_in(found: Sequence[dict[str, Any]]) -> set[tuple[str, str]]:
    """Which appeal stands for which sign: a sign counted from no other appeal is nothing new."""
    return {(reason["signal"], appeal) for reason in found for appeal in reason["appeals"]}

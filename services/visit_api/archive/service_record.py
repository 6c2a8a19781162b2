"""The service record that the marketing service guide asks for (004 §3.4), drawn from what is archived: start and end,
who with number and post, content and flow, feedback, result, anomalies."""

from collections.abc import Mapping, Sequence
from typing import Any

_FLOW = ("scheduled_at", "arrived_at", "started_at", "completed_at", "archived_at")


def service_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a visit in the guide's order; each thing is said in full in the section it comes from."""
    visit, appeals = record["visit"], record["appeals"]
    return {
        "started_at": visit["started_at"],
        "ended_at": visit["completed_at"],
        "staff": record["visitors"],
        "content": {
            "channel": visit["channel"],
            "form": visit["form"],
            "direction": visit["direction"],
            "sections": [name for name, its in record.items() if its],
        },
        "flow": [{"act": act.removesuffix("_at"), "at": visit[act]} for act in _FLOW if visit[act]],
        "feedback": _feedback(appeals),
        "result": [_result(each) for each in appeals],
        "anomalies": _anomalies(record),
    }


def _result(appeal: Mapping[str, Any]) -> dict[str, Any]:
    # A record of before has no times of its appeals.
    times = {name: appeal[name] for name in ("contacted_at", "answered_at", "closed_at") if name in appeal}
    return {"appeal_no": appeal["appeal_no"], "outcome": appeal["outcome"], **times}


def _feedback(appeals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    asked = [each for each in appeals if each.get("satisfaction")]
    return [{"appeal_no": each["appeal_no"], "satisfaction": each["satisfaction"]} for each in asked]


def _anomalies(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    last = {each["item"]: each for each in record.get("checklist", ())}
    said_no = [each for each in last.values() if each["answer"] == "no"]
    passed = [
        (each["appeal_no"], its["milestone"])
        for each in record["appeals"]
        for its in each.get("deadlines", ())
        if not its["kept"]
    ]
    return [
        *({"kind": "gap", "what": gap["what"], "note": gap["reason"]} for gap in record["gaps"]),
        *({"kind": "checklist", "what": each["item"], "note": each["note"]} for each in said_no),
        *({"kind": "deadline", "what": milestone, "note": appeal_no} for appeal_no, milestone in passed),
    ]

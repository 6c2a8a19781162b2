"""How the preparation of a visit is shown: what was answered, beside everything that is asked of its channel."""

from typing import Any

from visit_api.visits.kit import KIT
from visit_api.visits.lifecycle import Course, Form
from visit_api.visits.models import Visit

DOCUMENTS = ("usage_analysis", "solution_proposal", "plan_document")


def preparation(visit: Visit) -> dict[str, Any]:
    """What was prepared for a visit, and its whole kit, answered or not."""
    answers = visit.preparation.get("kit", {})
    return {
        **{name: visit.preparation.get(name) for name in DOCUMENTS},
        "kit": [
            {
                "item": item.name,
                "title": item.title,
                "clause": item.clause,
                "device": item.device,
                "ready": answers.get(item.name, {}).get("ready"),
                "note": answers.get(item.name, {}).get("note"),
            }
            for item in KIT[visit.channel]
        ],
        "prepared_at": visit.prepared_at,
        "prepared_by": visit.prepared_by,
    }


def course(visit: Visit) -> Course:
    """What of a visit decides whether it may start."""
    return Course(
        form=Form(visit.form),
        direction=visit.direction,
        channel=visit.channel,
        documents=visit.preparation.keys(),
        answered=visit.preparation.get("kit", {}).keys(),
        appointed=visit.window_from is not None,
    )

"""The life of a visit as a picture, drawn from the rules themselves.

`python -m visit_api.visits.drawing PAGE` writes the page, with `--check` it only compares.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from visit_api.visits.kit import KIT
from visit_api.visits.lifecycle import LIFE, PREPARATION, Form, VisitState

_HEAD = """# The life of a visit

Drawn by `make generate` from `visit_api/visits/lifecycle.py` and `kit.py`; each act with the clause of the standard
that puts it there. What leads nowhere else is recorded in the state that the visit is in.
"""
_BEFORE = """
## What a directed or a special visit cannot start without

An ordinary visit may start without any of it; its archive asks why. A customer's own call has neither kit nor
appointment.
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, "```mermaid", *_machine(), "```", _BEFORE, *_wanted(), ""])


def _machine() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {VisitState.PLANNED}"
    for state in VisitState:
        acts = {act: step for act, step in LIFE.items() if state in step.sources}
        for act, step in acts.items():
            yield f"    {state} --> {step.target or state}: {act} (§{step.clause})"
        if not any(step.target for step in acts.values()):
            yield f"    {state} --> [*]"


def _wanted() -> Iterator[str]:
    yield "| what | of which visits | clause |"
    yield "|---|---|---|"
    for form in Form:
        for unmet in PREPARATION[form]:
            yield f"| `{unmet.what}` | {form} | {unmet.clause} |"
    for channel, kit in KIT.items():
        for item in kit:
            asks = "the device works" if item.device else "it is ready"
            yield f"| `{item.name}`: whether {asks} | {channel} | {item.clause} |"
    yield "| an appointment | on_site | 6.1.3.1 |"
    yield "| an appointment | phone, online | 7.1 |"


def main(words: list[str]) -> int:
    """0 when the page is written or fresh, 1 when it is stale."""
    path = Path(words[0])
    if "--check" not in words:
        path.write_text(page(), encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != page():
        sys.stderr.write(f"{path} is stale: make generate\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

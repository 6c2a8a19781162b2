"""The life of an appeal as a picture, drawn from the rules themselves.

`python -m appeal_tracker.appeals.drawing PAGE` writes the page, with `--check` it only compares.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from appeal_tracker.appeals.lifecycle import Act, Refused, Standing, State, after

_HEAD = """# The life of an appeal

Drawn by `make generate` from `appeal_tracker/appeals/lifecycle.py`. An act that leads nowhere else is recorded in the
state that the appeal is in. Acceptance, dispatch and the like move no clock, and whoever holds an appeal stops none of
this: see below.
"""
_TABLE = """
## What each act is refused by

A refused act is answered 409, with `rule` as it stands here; `-` where it is taken. A held appeal shows the state
`held`, and goes back to where it was. A merged one takes part in what is done about the appeal that speaks for it.
"""
_STANDINGS = {
    "open": Standing(State.OPEN),
    "contacted": Standing(State.CONTACTED),
    "answered": Standing(State.ANSWERED),
    "called_back": Standing(State.CALLED_BACK),
    "held (answered)": Standing(State.ANSWERED, held=True),
    "merged (answered)": Standing(State.ANSWERED, merged=True),
    "closed": Standing(State.CLOSED),
}
_STATES = (State.OPEN, State.CONTACTED, State.ANSWERED, State.CALLED_BACK, State.CLOSED)


def page() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, "```mermaid", *_machine(), "```", _TABLE, *_refusals(), ""])


def _machine() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.OPEN}"
    for state in _STATES:
        leads: dict[State, list[str]] = {}
        for act in Act:
            target = _after(Standing(state), act)
            if isinstance(target, Standing) and target.progress is not state:
                leads.setdefault(target.progress, []).append(act)
        for other, acts in leads.items():
            yield f"    {state} --> {other}: {', '.join(acts)}"
    yield f"    {State.CLOSED} --> [*]"


def _refusals() -> Iterator[str]:
    yield f"| act | {' | '.join(_STANDINGS)} |"
    yield f"|---|{'---|' * len(_STANDINGS)}"
    for act in Act:
        found = [_after(standing, act) for standing in _STANDINGS.values()]
        yield f"| `{act}` | {' | '.join('-' if isinstance(each, Standing) else each for each in found)} |"


def _after(standing: Standing, act: Act) -> Standing | str:
    """Where an act leads, or the rule that refuses it."""
    try:
        return after(standing, act)
    except Refused as refused:
        return str(refused.rule)


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

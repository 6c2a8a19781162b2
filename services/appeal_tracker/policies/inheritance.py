"""From packs to a policy: what a pack does not restate it inherits, field by field, from the pack it extends."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from msgspec.structs import replace

from appeal_tracker.calendars.period import Period
from appeal_tracker.policies.ladder import Moment, Phase, Step
from appeal_tracker.policies.pack import (
    VISIT_STARTS,
    VISITS,
    AppealType,
    Pack,
    PolicyError,
    Reopening,
    WrittenContact,
    WrittenLimit,
    WrittenQuiet,
    WrittenStep,
    WrittenTries,
    sections,
    time_of_day,
)
from appeal_tracker.policies.policy import NEW_ROUND, REPEAT_DAYS, CallbackRule, ContactRule, Limit, Policy
from appeal_tracker.policies.quiet import QuietHours

APPEAL_TYPES: tuple[str, ...] = get_args(AppealType)
_USUAL_START = {"arrival": "appointed", "archive": "appeals_closed", "callback": "answered"}
_BREACH = Step(Moment.parse("due"), ("owner", "unit_supervisors"), mandatory=True)


def lineage(pack: Pack, packs: Mapping[str, Pack]) -> tuple[Pack, ...]:
    """Return a pack and all it extends, nearest first; PolicyError for an unknown parent or a circle."""
    chain = [pack]
    while (parent := chain[-1].extends) is not None:
        if parent not in packs:
            raise PolicyError("/extends", f"{chain[-1].id} extends {parent}, which does not exist")
        if any(each.id == parent for each in chain):
            circle = " -> ".join([*(each.id for each in chain), parent])
            raise PolicyError("/extends", f"packs extend each other in a circle: {circle}")
        chain.append(packs[parent])
    return tuple(chain)


def resolve(pack: Pack, packs: Mapping[str, Pack]) -> Policy:
    """Build the policy of a pack; `packs` holds the version of each parent to build on. Refused: PolicyError."""
    chain = lineage(pack, packs)
    calendar: str | None = _nearest(chain, "calendar")
    if calendar is None:
        raise PolicyError("/calendar", "names no calendar, and there is none to inherit")
    quiet: WrittenQuiet | None = _nearest(chain, "quiet")
    return Policy(
        id=pack.id,
        version=pack.version,
        title=pack.title,
        lineage=tuple(each.label for each in chain),
        effective_from=pack.effective_from,
        calendar=calendar,
        quiet=QuietHours(time_of_day(quiet.begins), time_of_day(quiet.ends)) if quiet else None,
        contact=_contact(chain),
        callback=_callback(chain),
        reopen={appeal_type: _reopening(chain, appeal_type) for appeal_type in APPEAL_TYPES},
        appeals={appeal_type: _limits(chain, f"/appeals/{appeal_type}") for appeal_type in APPEAL_TYPES},
        visits=_limits(chain, VISITS),
        targets={target.name: target for each in reversed(chain) for target in each.targets},
        repeat_days=_nearest(chain, "repeat_days") or REPEAT_DAYS,
    )


def _nearest(chain: Sequence[Pack], field: str) -> Any:
    return next((value for each in chain if (value := getattr(each, field)) is not None), None)


def _reopening(chain: Sequence[Pack], appeal_type: str) -> Reopening:
    said = (each.reopen for each in chain if each.reopen_for is None or appeal_type in each.reopen_for)
    return next((mode for mode in said if mode is not None), NEW_ROUND)


def _contact(chain: Sequence[Pack]) -> ContactRule:
    written: WrittenContact | None = _nearest(chain, "contact")
    if written is None:
        return ContactRule()
    return ContactRule(frozenset(written.accepts), written.attempts, written.hours_apart)


def _callback(chain: Sequence[Pack]) -> CallbackRule:
    required_for: frozenset[str] = frozenset()
    if _nearest(chain, "callback") == "required":
        required_for = frozenset(_nearest(chain, "callback_for") or APPEAL_TYPES)
    tries: WrittenTries | None = _nearest(chain, "callback_tries")
    rule = CallbackRule(
        required_for,
        _nearest(chain, "callback_by") or "anyone",
        _nearest(chain, "callback_clause") or "",
        dissatisfied=_nearest(chain, "dissatisfied") or "follow_up",
    )
    return replace(rule, attempts=tries.attempts, hours_apart=tries.hours_apart) if tries else rule


def _limits(chain: Sequence[Pack], section: str) -> tuple[Limit, ...]:
    """Merge what the packs of a chain write in one section, the eldest first, milestone by milestone."""
    merged: dict[str, WrittenLimit] = {}
    stated: dict[str, str] = {}
    for each in reversed(chain):
        for index, written in enumerate(dict(sections(each)).get(section, ())):
            restated = {
                field: value for field in written.__struct_fields__ if (value := getattr(written, field)) is not None
            }
            merged[written.milestone] = replace(merged.get(written.milestone, written), **restated)
            if written.within is not None:
                stated[written.milestone] = each.label
            elif written.milestone not in stated:
                raise PolicyError(f"{section}/{index}/within", f"{written.milestone} has no figure to inherit")
    return tuple(_limit(written, stated[milestone], chain, section) for milestone, written in merged.items())


def _limit(written: WrittenLimit, stated_by: str, chain: Sequence[Pack], section: str) -> Limit:
    closes: str | None = _nearest(chain, "close_of_business")
    try:
        within = Period.parse(written.within or "", time_of_day(closes) if closes else None)
    except ValueError as error:
        raise PolicyError(f"{section}/{written.milestone}/within", str(error)) from None
    starts = written.starts or _USUAL_START.get(written.milestone, "received")
    if (section == VISITS) != (starts in VISIT_STARTS):
        raise PolicyError(f"{section}/{written.milestone}/starts", f"nothing under {section} starts when {starts}")
    ladder = written.ladder
    if ladder is None:
        ladder = next((each.ladders[written.milestone] for each in chain if written.milestone in each.ladders), ())
    return Limit(
        milestone=written.milestone,
        within=within,
        clause=written.clause or "",
        stated_by=stated_by,
        starts=starts,
        ladder=_ladder(ladder),
        holdable=bool(written.holdable),
    )


def _ladder(written: Sequence[WrittenStep]) -> tuple[Step, ...]:
    """Read the steps; one that tells of the breach is always among them, so that none passes in silence."""
    moments = [Moment.parse(str(step.at)) for step in written]
    steps = [
        Step(moment, step.tell, step.mandatory or moment.phase is Phase.DUE)
        for moment, step in zip(moments, written, strict=True)
    ]
    return tuple(steps) if any(moment.phase is Phase.DUE for moment in moments) else (*steps, _BREACH)

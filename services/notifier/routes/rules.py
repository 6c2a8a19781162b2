"""Which route counts for an event: a condition in a small declarative form, and the choice among those that hold. Pure.

Of the routes of one event type and audience whose conditions hold, those of the nearest unit count, own ones before
common ones; of several there all count together.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

# What no route speaks of, though a ladder names it (an audience of a newer tracker), is told all the same.
FALLBACK = ("mailbox",)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition may ask of an event; `line` is the unit at work and those above it, nearest first."""

    event_type: str
    line: Sequence[str]
    appeal_type: str | None = None
    milestone: str | None = None
    step: str | None = None
    policy: str | None = None  # with its version, `t-sdpea@1`
    source: str | None = None
    late: bool = False
    round: int = 1


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """When a route counts: all that is given must hold, and of each list one. A policy is named with its version or
    without; a unit stands for all below it."""

    units: tuple[str, ...] = ()
    appeal_types: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    late: bool | None = None
    from_round: int | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether it holds of an event."""
        policy = facts.policy or ""
        return (
            _any(self.units, *facts.line)
            and _any(self.appeal_types, facts.appeal_type)
            and _any(self.milestones, facts.milestone)
            and _any(self.steps, facts.step)
            and _any(self.policies, policy, policy.partition("@")[0])
            and _any(self.sources, facts.source)
            and self.late in (None, facts.late)
            and facts.round >= (self.from_round or 1)
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A route as the planner needs it. `label` names it with its version; it may let messages `passes` quiet hours
    (`always`, or whoever is on duty), or have them wait for a working day."""

    label: str
    unit: str | None
    event_type: str
    audience: str
    condition: Condition
    channels: tuple[str, ...]
    fallback: tuple[str, ...] = ()
    fallback_after: int = 600  # seconds
    passes: str | None = None
    working_days: bool = False


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One channel by which an audience is told, and by what rule; `fallback` are those to try after it, in order."""

    channel: str
    route: str | None = None
    fallback: tuple[str, ...] = ()
    fallback_after: int = 600
    passes: str | None = None
    working_days: bool = False


class RouteTable:
    """All routes that are in force at one moment."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.event_type, rule.audience), []).append(rule)

    @property
    def named(self) -> set[str]:
        """Every audience that some route names."""
        return {audience for _, audience in self._rules}

    def audiences(self, facts: Facts) -> list[str]:
        """Whom the routes themselves name for an event that names nobody."""
        of_type = (audience for event_type, audience in self._rules if event_type == facts.event_type)
        return sorted(audience for audience in of_type if self._chosen(facts, audience))

    def ways(self, facts: Facts, audience: str) -> list[Way]:
        """How `audience` is told; never no way at all."""
        found: dict[str, Way] = {}
        for rule in self._chosen(facts, audience):
            for channel in rule.channels:
                # The fallback begins where the last of those that go at once ends: one is enough to have arrived.
                after = rule.fallback if channel == rule.channels[-1] else ()
                way = Way(
                    channel=channel,
                    route=rule.label,
                    fallback=after,
                    fallback_after=rule.fallback_after,
                    passes=rule.passes,
                    working_days=rule.working_days,
                )
                found.setdefault(channel, way)
        return list(found.values()) or [Way(channel=channel) for channel in FALLBACK]

    def _chosen(self, facts: Facts, audience: str) -> list[Rule]:
        rules = self._rules.get((facts.event_type, audience), ())
        holding = [rule for rule in rules if rule.condition.holds(facts)]
        for unit in (*facts.line, None):
            if nearest := [rule for rule in holding if rule.unit == unit]:
                return sorted(nearest, key=lambda rule: rule.label)
        return []


def condition(stored: Mapping[str, Any]) -> Condition:
    """A condition as it is stored."""
    return msgspec.convert(stored, Condition)


def _any(wanted: Sequence[str], *given: str | None) -> bool:
    return not wanted or any(value in wanted for value in given)

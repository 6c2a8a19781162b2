"""The one state machine of an appeal: which act is taken in which state, and where it leads. Pure.

    open ──contact──> contacted ──answer──> answered ──call back──> called_back ──close──> closed
      └────────────────answer──────────────────^  └───────────────────close───────────────────^

An act never leads back, but for reopening: contacting or answering again is recorded and changes nothing here. The
customer may withdraw an appeal, and a supervisor declare it void, wherever it stands: that ends it too.

Whoever holds an appeal stops none of this. A held appeal can be contacted, and stays held; the answer, and the callback
after it, end the hold. A merged appeal takes part in what is done about the one it was merged into, and takes no such
act of its own: it stands still, and goes on, with that one.
"""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How far an appeal has come. `held` belongs to packs that let a milestone wait."""

    OPEN = "open"
    CONTACTED = "contacted"
    ANSWERED = "answered"
    CALLED_BACK = "called_back"
    HELD = "held"
    CLOSED = "closed"


class Standing(msgspec.Struct, frozen=True):
    """Where an appeal stands: how far it came, never `held`; and whether it waits there, or follows another one."""

    progress: State
    held: bool = False
    merged: bool = False

    @property
    def state(self) -> State:
        """The state it shows."""
        return State.HELD if self.held else self.progress


class Act(StrEnum):
    """What people do about an appeal."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    TRANSFER = "transfer"
    RETURN = "return"  # to whoever handed it on
    URGE = "urge"
    SUPERVISE = "supervise"
    ATTEMPT = "attempt"  # a contact that does not count, or not yet
    CONTACT = "contact"
    ANSWER = "answer"
    JUDGE = "judge"  # whether the facts bear it out
    ASK_BACK = "ask_back"  # for a callback
    TRY_BACK = "try_back"  # a callback that nobody answered, and not enough of them yet
    CALL_BACK = "call_back"
    REACH = "reach"  # a milestone of the pack's own
    HOLD = "hold"
    RESUME = "resume"
    MERGE = "merge"  # into another one
    UNMERGE = "unmerge"
    RECLASSIFY = "reclassify"
    CORRECT = "correct"
    CLOSE = "close"
    WITHDRAW = "withdraw"  # the customer does
    VOID = "void"  # it is none, and never was
    REOPEN = "reopen"  # from the beginning: the customer is contacted anew
    GO_ON = "go_on"  # reopen where the contact was made already


class Rule(StrEnum):
    """Why an act is refused."""

    CLOSED = "closed"  # a closed appeal takes no more acts, but for being reopened
    NOT_CLOSED = "not_closed"
    UNANSWERED = "unanswered"  # calling back and judging are about an answer that was given
    HELD = "held"
    NOT_HELD = "not_held"
    MERGED = "merged"  # it is done about the appeal that it was merged into
    NOT_MERGED = "not_merged"


class Refused(Exception):
    """An act that the state does not take."""

    def __init__(self, standing: Standing, act: Act, rule: Rule) -> None:
        super().__init__(f"{act} is refused while {standing.state}: {rule}")
        self.standing, self.act, self.rule = standing, act, rule


_REOPENING = {Act.REOPEN: State.OPEN, Act.GO_ON: State.CONTACTED}
_OF_THE_MERGED = (
    *(Act.ACCEPT, Act.DISPATCH, Act.TRANSFER, Act.RETURN, Act.URGE, Act.SUPERVISE),
    *(Act.JUDGE, Act.CORRECT, Act.UNMERGE),
)
_ENDING = dict.fromkeys((State.OPEN, State.CONTACTED, State.ANSWERED, State.CALLED_BACK), State.CLOSED)
_LEADS_ON: dict[Act, dict[State, State]] = {
    Act.CONTACT: {State.OPEN: State.CONTACTED},
    Act.ANSWER: {State.OPEN: State.ANSWERED, State.CONTACTED: State.ANSWERED},
    Act.CALL_BACK: {State.ANSWERED: State.CALLED_BACK},
    Act.CLOSE: _ENDING,
    Act.WITHDRAW: _ENDING,
    Act.VOID: _ENDING,
}
_ENDS_A_HOLD = (Act.ANSWER, Act.CALL_BACK, Act.CLOSE, Act.WITHDRAW, Act.VOID)
_NOT_WHILE_HELD = (Act.HOLD, Act.MERGE, Act.RECLASSIFY)
_ABOUT_THE_ANSWER = (Act.ASK_BACK, Act.TRY_BACK, Act.CALL_BACK, Act.JUDGE)


def after(standing: Standing, act: Act, *, by_leader: bool = False) -> Standing:
    """Where an act leads; raises `Refused`. `by_leader`: it is done about the appeal that this one was merged into.

    Whether everything is there that closing asks for, `closing.missing` says.
    """
    if rule := refusal(standing, act, by_leader=by_leader):
        raise Refused(standing, act, rule)
    match act:
        case Act.REOPEN | Act.GO_ON:
            return Standing(_REOPENING[act])
        case Act.HOLD | Act.RESUME:
            return msgspec.structs.replace(standing, held=act is Act.HOLD)
        case Act.MERGE | Act.UNMERGE:
            return msgspec.structs.replace(standing, merged=act is Act.MERGE)
    progress = _LEADS_ON.get(act, {}).get(standing.progress, standing.progress)
    moved_on = act in _ENDS_A_HOLD and progress is not standing.progress
    held = standing.held and (by_leader or not moved_on)
    return msgspec.structs.replace(standing, progress=progress, held=held)


def takes(standing: Standing, act: Act, *, by_leader: bool = False) -> bool:
    """Whether an act is taken at all."""
    return refusal(standing, act, by_leader=by_leader) is None


def refusal(standing: Standing, act: Act, *, by_leader: bool = False) -> Rule | None:
    """The rule by which an act is not taken; None where it is."""
    if standing.progress is State.CLOSED:
        return None if act in _REOPENING else Rule.CLOSED
    if act in _REOPENING:
        return Rule.NOT_CLOSED
    if standing.merged and not by_leader and act not in _OF_THE_MERGED:
        return Rule.MERGED
    if standing.held and act in _NOT_WHILE_HELD:
        return Rule.HELD
    if act is Act.RESUME and not standing.held:
        return Rule.NOT_HELD
    if act is Act.UNMERGE and not standing.merged:
        return Rule.NOT_MERGED
    if act in _ABOUT_THE_ANSWER and standing.progress in (State.OPEN, State.CONTACTED):
        return Rule.UNANSWERED
    return None


def facts(before: State, now: State) -> list[str]:
    """The facts that came true between two steps of progress, from which a policy may let a clock run: `contacted`,
    `answered`.

    An answer given to the customer is also a contact. What is reopened begins again: no fact comes true by that.
    """
    contacted = before is State.OPEN and now in (State.CONTACTED, State.ANSWERED)
    answered = before in (State.OPEN, State.CONTACTED) and now is State.ANSWERED
    return [*(["contacted"] * contacted), *(["answered"] * answered)]


def facts_again(before: State, act: Act) -> list[str]:
    """The facts that an act tells of once more: they had come true, and it may be recorded after what came later."""
    contacted = act in (Act.CONTACT, Act.ANSWER) and before is not State.OPEN
    answered = act is Act.ANSWER and before in (State.ANSWERED, State.CALLED_BACK)
    return [*(["contacted"] * contacted), *(["answered"] * answered)]

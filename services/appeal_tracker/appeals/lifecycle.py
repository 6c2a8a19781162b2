"""The one state machine of an appeal: which act is taken in which state, and where it leads. Pure.

    open ──contact──> contacted ──answer──> answered ──call back──> called_back ──close──> closed
      └────────────────answer──────────────────^  └───────────────────close───────────────────^

An act never leads back: contacting or answering again is recorded and changes nothing here.
"""

from enum import StrEnum


class State(StrEnum):
    """How far an appeal has come. `held` belongs to packs that let a milestone wait."""

    OPEN = "open"
    CONTACTED = "contacted"
    ANSWERED = "answered"
    CALLED_BACK = "called_back"
    HELD = "held"
    CLOSED = "closed"


class Act(StrEnum):
    """What people do about an appeal."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    ATTEMPT = "attempt"  # a contact that does not count, or not yet
    CONTACT = "contact"
    ANSWER = "answer"
    CALL_BACK = "call_back"
    CLOSE = "close"


class Rule(StrEnum):
    """Why an act is refused."""

    CLOSED = "closed"  # a closed appeal takes no more acts
    UNANSWERED = "unanswered"  # calling back asks about an answer that was given


class Refused(Exception):
    """An act that the state does not take."""

    def __init__(self, state: State, act: Act, rule: Rule) -> None:
        super().__init__(f"{act} is refused while {state}: {rule}")
        self.state, self.act, self.rule = state, act, rule


_LIVING = (State.OPEN, State.CONTACTED, State.ANSWERED, State.CALLED_BACK, State.HELD)
_LEADS_ON: dict[Act, dict[State, State]] = {
    Act.ACCEPT: {},
    Act.DISPATCH: {},
    Act.ATTEMPT: {},
    Act.CONTACT: {State.OPEN: State.CONTACTED},
    Act.ANSWER: {State.OPEN: State.ANSWERED, State.CONTACTED: State.ANSWERED},
    Act.CALL_BACK: {State.ANSWERED: State.CALLED_BACK},
    Act.CLOSE: dict.fromkeys(_LIVING, State.CLOSED),
}
_BEFORE_THE_ANSWER = (State.OPEN, State.CONTACTED, State.HELD)


def after(state: State, act: Act) -> State:
    """The state that an act leads to; raises `Refused`.

    Whether everything is there that closing asks for, `closing.missing` says.
    """
    if state is State.CLOSED:
        raise Refused(state, act, Rule.CLOSED)
    if act is Act.CALL_BACK and state in _BEFORE_THE_ANSWER:
        raise Refused(state, act, Rule.UNANSWERED)
    return _LEADS_ON[act].get(state, state)


def facts(before: State, now: State) -> list[str]:
    """The facts that came true between two states, from which a policy may let a clock run: `contacted`, `answered`.

    An answer given to the customer is also a contact.
    """
    contacted = before is State.OPEN and now is not State.OPEN
    answered = before in (State.OPEN, State.CONTACTED) and now is State.ANSWERED
    return [*(["contacted"] * contacted), *(["answered"] * answered)]

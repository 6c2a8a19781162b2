"""What should become of appeals, said slowly and obviously: no tables, no plans, no state machine of the service's.

Everything is worked out anew from what was done each time it is asked for; deadlines are walked day by day on a wall
clock (see `slow_model`). All appeals here are reports under a pack with three milestones, of which two may be held.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from appeal_tracker.calendars.period import Period
from tests.support.slow_model import DAY, Model, in_utc, on_the_wall

# By the first version of each pack, and by the second, to which appeals are brought on purpose alone.
WITHIN = [
    {"contact": "24 hours", "answer": "5 working days", "callback": "2 working days"},
    {"contact": "24 hours", "answer": "4 working days", "callback": "3 working days"},
]
LADDERS = {"contact": ("0.5", "due", "+2h"), "answer": ("0.5", "due", "+1wd"), "callback": ("due",)}
HOLDABLE = ("answer", "callback")
MODES = ("new_round", "restart", "continue")
QUIET_BEGINS, QUIET_ENDS = 21, 8


class World(list["Appeal"]):
    """All appeals there are, and the days that the newest calendar turns round."""

    flipped: frozenset[date] = frozenset()


@dataclass
class Hold:
    since: datetime
    milestones: tuple[str, ...]
    round: int
    until: datetime | None = None


@dataclass(eq=False)
class Clock:
    """A clock; `ended` is its deadline once that cannot move any more, `left` what its ladder will still say then."""

    appeal: "Appeal"
    milestone: str
    round: int
    start: datetime
    version: int
    state: str = "running"
    stopped: datetime | None = None
    breached: datetime | None = None
    ended: datetime | None = None
    follows: "Clock | None" = None
    fired: set[str] = field(default_factory=set)
    left: dict[str, datetime] = field(default_factory=dict)
    silent_after: datetime | None = None  # its appeal was closed when it was past
    inherited: frozenset[str] = frozenset()  # fired for the clock that it goes on for
    flipped: frozenset[date] | None = None  # by the calendar of its breach: what is recorded moves no more

    @property
    def open(self) -> bool:
        return self.state == "running"

    @property
    def holds(self) -> list[Hold]:
        return [hold for hold in self.appeal.holds if self.milestone in hold.milestones and hold.round <= self.round]

    @property
    def lasting(self) -> Hold | None:
        return next((hold for hold in self.holds if hold.until is None and self.open), None)

    @property
    def held(self) -> Hold | None:
        """The hold in which it stands still; if the promise was past already when that began, there is nothing to wait
        for."""
        group = self.group()
        begun = min((clock.lasting.since for clock in group if clock.lasting), default=None)
        return self.lasting if begun and begun <= min(clock.promise() for clock in group) else None

    def counting(self, resumed: datetime | None = None) -> Model:
        spans = [(hold.since, hold.until or resumed) for hold in self.holds]
        walls = [(on_the_wall(since), on_the_wall(max(since, until))) for since, until in spans if until is not None]
        return Model(self.appeal.world.flipped, _joined(walls))

    def promise(self, resumed: datetime | None = None) -> datetime:
        """The deadline it would have alone."""
        return in_utc(self.counting(resumed).due(on_the_wall(self.start), self.period))

    @property
    def period(self) -> Period:
        return Period.parse(WITHIN[self.version][self.milestone])

    def group(self) -> "list[Clock]":
        leading = self.follows or self
        others = [clock for each in self.appeal.world for clock in each.clocks if clock.follows is leading]
        return [clock for clock in (leading, *others) if clock.open]

    def promiser(self, resumed: datetime | None = None) -> "Clock":
        """Whose deadline it keeps: its own, unless another one of the merged promised an earlier."""
        others = (clock for clock in self.group() if resumed is None or clock.appeal.since <= resumed)
        return min([self, *others], key=lambda clock: clock.promise(resumed))

    def due(self, resumed: datetime | None = None) -> datetime:
        return self.ended or self.promiser(resumed).promise(resumed)

    def half(self) -> datetime:
        """When half of its way is gone: half an hour before the night in which it would be too late to say so."""
        its = self.promiser()
        start = on_the_wall(its.start)
        half, due = its.counting().part(start, its.period, 2), on_the_wall(its.promise())
        evening = half.replace(hour=QUIET_BEGINS, minute=0) - (DAY if half.hour < QUIET_ENDS else timedelta())
        morning = evening + timedelta(hours=24 - QUIET_BEGINS + QUIET_ENDS)
        if evening <= half < morning and due <= morning + timedelta(hours=1):
            half = max(evening - timedelta(minutes=30), start)
        return in_utc(half)

    def after(self) -> dict[str, datetime]:
        """When it goes further up, once it is breached."""
        due = on_the_wall(self.due())
        day = (due - timedelta(minutes=1)).date() + DAY
        flipped = self.appeal.world.flipped if self.flipped is None else self.flipped
        while not Model(flipped, []).works(day):
            day += DAY
        next_day = datetime(day.year, day.month, day.day) + DAY  # noqa: DTZ001 - 24:00 of it, on the wall
        moments = {"+2h": due + timedelta(hours=2), "+1wd": next_day}
        return {step: in_utc(moments[step]) for step in LADDERS[self.milestone] if step in moments}

    def breach(self, due: datetime, now: datetime) -> None:
        self.ended, self.state, self.breached, self.flipped = due, "breached", now, self.appeal.world.flipped
        self.fired.add("due")
        last = self.silent_after
        its = {} if self.follows else self.after()
        self.left = {step: moment for step, moment in its.items() if last is None or moment <= last}

    def stop(self, at: datetime, now: datetime, due: datetime) -> None:
        """It is judged by what was done at `at`, if it ran by then."""
        if at < self.start or self.state in ("met", "cancelled"):
            return
        if self.held or at <= due:
            self.ended, self.state, self.stopped, self.left = due, "met", at, {}
        elif self.stopped is None:
            if self.open:
                self.breach(due, now)
            self.left = {step: moment for step, moment in self.left.items() if moment <= at}
            self.stopped = at


def stop_all(stops: list[tuple[Clock | None, datetime]], now: datetime) -> None:
    """What is merged is judged by the deadline that all kept until then."""
    known = [(clock, at, clock.due(at if clock.held else None)) for clock, at in stops if clock is not None]
    for clock, at, due in known:
        clock.stop(at, now, due)


def fire(world: World, now: datetime) -> None:
    """All that is due by now happens."""
    clocks = [clock for each in world for clock in each.clocks]
    running = [(clock, clock.due(), clock.half()) for clock in clocks if clock.open and not clock.held]
    for clock, due, half in running:
        if half <= now and not clock.follows and "0.5" in LADDERS[clock.milestone]:
            clock.fired.add("0.5")
        if due <= now:
            clock.breach(due, now)
    for clock in clocks:
        said = {step for step, moment in clock.left.items() if moment <= now}
        clock.fired |= said
        clock.left = {step: moment for step, moment in clock.left.items() if step not in said}


@dataclass(eq=False)
class Appeal:
    """An appeal; all there are stand in `world`."""

    id: str
    mode: str
    customer: object
    received: datetime
    world: World
    round: int = 1
    progress: str = "open"
    reopened: datetime | None = None
    closed: datetime | None = None
    outcome: str | None = None
    leader: "Appeal | None" = None
    withdrawn: bool = False  # its pack was: what is reopened goes by the floor, which says nothing of reports
    floor: bool = False
    version: int = 0
    holds: list[Hold] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    contacts: list[tuple[int, datetime]] = field(default_factory=list)
    calls: list[tuple[int, datetime]] = field(default_factory=list)
    answers: list[tuple[int, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.append(self)
        self.start(self.received, "contact", "answer")

    def start(self, at: datetime, *milestones: str) -> None:
        milestones = () if self.floor else milestones
        self.clocks += [Clock(self, milestone, self.round, at, self.version) for milestone in milestones]

    @property
    def since(self) -> datetime:
        return self.reopened or self.received

    @property
    def hold(self) -> Hold | None:
        return next((hold for hold in self.holds if hold.until is None), None)

    @property
    def state(self) -> str:
        return "held" if self.hold else self.progress

    @property
    def merged(self) -> bool:
        return self.leader is not None and self.progress != "closed"

    @property
    def followers(self) -> "list[Appeal]":
        return [each for each in self.world if each.merged and each.leader is self]

    @property
    def present(self) -> list[Clock]:
        return [clock for clock in self.clocks if clock.round == self.round]

    def clock(self, milestone: str) -> Clock | None:
        return next((clock for clock in self.present if clock.milestone == milestone), None)

    # What people do. Each says whether it is taken.

    def _takes_part(self, at: datetime) -> "list[Appeal]":
        return [self, *(each for each in self.followers if each.since <= at)]

    def _living(self, at: datetime) -> bool:
        return self.progress != "closed" and not self.merged and at >= self.since

    def contact(self, at: datetime, now: datetime) -> bool:
        if not self._living(at):
            return False
        stops = []
        for each in self._takes_part(at):
            each.contacts.append((each.round, at))
            each.progress = "contacted" if each.progress == "open" else each.progress
            stops.append((each.clock("contact"), min(when for made, when in each.contacts if made == each.round)))
        stop_all(stops, now)
        self._let_go()
        return True

    def answer(self, at: datetime, now: datetime) -> bool:
        if not self._living(at):
            return False
        its = self._takes_part(at)
        for each in its:
            each.answers.append((each.round, at))
        self._answered_earlier([each for each in its if each.progress in ("answered", "called_back")], at, now)
        stop_all([(each.clock(milestone), at) for each in its for milestone in ("contact", "answer")], now)
        for each in its:
            if each.progress in ("open", "contacted"):
                each.progress = "answered"
                each.start(at, "callback")
                if each is self:
                    self.resume(at, now)
        for each in self.followers:
            each.follow(now)
        self._let_go()
        return True

    def _answered_earlier(self, its: "list[Appeal]", at: datetime, now: datetime) -> None:
        """The callback has run since then, and what was recorded in between was one."""
        late = [clock for each in its if (clock := each.clock("callback")) and clock.open and clock.start > at]
        for clock in late:
            clock.start = at
        calls = [(clock, [when for made, when in clock.appeal.calls if made == clock.round]) for clock in late]
        stop_all([(clock, min(when)) for clock, those in calls if (when := [x for x in those if x >= at])], now)
        for each in its:
            made = [when for number, when in each.calls if number == each.round and when >= each.to_be_called_since]
            if made and each.progress == "answered":
                self._called_back([each], min(made), now)

    def call_back(self, at: datetime, now: datetime) -> bool:
        if not self._living(at) or self.progress not in ("answered", "called_back"):
            return False
        its = [each for each in self._takes_part(at) if each.progress in ("answered", "called_back")]
        for each in its:
            each.calls.append((each.round, at))
        about = [each for each in its if at >= each.to_be_called_since]
        stop_all([(each.clock("callback"), at) for each in about], now)
        self._called_back(about, at, now)
        self._let_go()
        return True

    @property
    def to_be_called_since(self) -> datetime:
        """A call of before the answer is about none."""
        answered = min(when for made, when in self.answers if made == self.round)
        clock = self.clock("callback")
        return max(answered, clock.start) if clock else answered

    def _called_back(self, about: "list[Appeal]", at: datetime, now: datetime) -> None:
        if self in about and self.progress == "answered":
            self.resume(at, now)
        for each in about:
            each.progress = "called_back"

    def hold_since(self, since: datetime, now: datetime) -> bool:
        if not self._living(since) or self.hold:
            return False
        group = [self, *self.followers]
        known = [clock for each in group for name in HOLDABLE if (clock := each.clock(name))]
        if any(clock.state == "breached" and since <= clock.due() for clock in known):
            return False
        if not any(clock.open and since <= clock.due() for clock in known if clock.appeal is self):
            return False
        for each in group:
            waiting = (name for name in HOLDABLE if (clock := each.clock(name)) is None or clock.open)
            each.holds.append(Hold(max(since, each.since), tuple(waiting), each.round))
        return True

    def resume_at(self, at: datetime, now: datetime) -> bool:
        hold = self.hold
        if not self._living(at) or hold is None or at < hold.since:
            return False
        self.resume(at, now)
        return True

    def resume(self, at: datetime, now: datetime) -> None:
        if hold := self.hold:
            hold.until = max(at, hold.since)
            for each in self.followers:
                each.resume(at, now)

    def close(self, now: datetime) -> bool:
        group = [self, *self.followers]
        if not self._living(now) or any(each.progress in ("open", "contacted") for each in group):
            return False
        dues = {clock: clock.due() for each in group for clock in each.present}
        past = {clock for clock, due in dues.items() if clock.open and not clock.held and due < now}
        for each in group:
            each.resume(now, now)
        for clock, due in dues.items():
            clock.left = {step: moment for step, moment in clock.left.items() if moment <= now}
            if clock in past:
                clock.ended, clock.silent_after = due, now
            elif clock.open:
                clock.ended, clock.state = due, "cancelled"
        for each in group:
            each.progress, each.closed, each.outcome = "closed", now, "resolved" if each is self else "merged"
        return True

    def reopen(self, now: datetime) -> bool:
        if self.progress != "closed":
            return False
        if self.withdrawn:
            self.floor, self.mode = True, "new_round"
        last, contact = self.present, self.clock("contact")
        contacted = contact is None or contact.stopped is not None
        self.round, self.reopened, self.outcome, self.leader = self.round + 1, now, None, None
        self.progress = "contacted" if contacted and self.mode != "new_round" else "open"
        if self.mode != "continue":
            self.start(now, *(("answer",) if self.progress == "contacted" else ("contact", "answer")))
            return True
        for clock in last:
            if clock.milestone == "callback" or (clock.milestone == "contact" and contacted):
                continue
            heir = Clock(self, clock.milestone, self.round, clock.start, clock.version)
            if clock.state == "breached":
                heir.state, heir.breached, heir.ended, heir.fired = (
                    "breached",
                    clock.breached,
                    clock.due(),
                    {*clock.fired},
                )
                unsaid = {step: moment for step, moment in clock.after().items() if step not in clock.fired}
                heir.left = {step: max(moment, now) for step, moment in unsaid.items()}
            else:
                heir.fired = clock.fired & {"0.5"}
                self.holds.append(Hold(clock.stopped or self.closed or now, (clock.milestone,), self.round, now))
            heir.inherited = frozenset(heir.fired)
            self.clocks.append(heir)
        return True

    def bring_to(self, version: int) -> None:
        """What has ended stays as it was; what is open has run by that version from its beginning on."""
        if self.progress == "closed" or self.floor or self.version == version:
            return
        self.version = version
        for clock in self.present:
            clock.version = version if clock.open else clock.version

    def merge(self, into: "Appeal", now: datetime) -> bool:
        known = into is not self and self.customer == into.customer
        free = all(each.progress != "closed" and not each.merged and not each.hold for each in (self, into))
        if not known or not free or self.followers:
            return False
        self.leader = into
        self.follow(now)
        return True

    def follow(self, now: datetime) -> None:
        for clock in self.present:
            leading = self.leader and self.leader.clock(clock.milestone)
            if leading and all(each.open and (each.held or each.due() >= now) for each in (leading, clock)):
                clock.follows = leading

    def unmerge(self, now: datetime) -> bool:
        if not self.merged or self.leader is None:
            return False
        its = [clock for each in (self.leader, *self.leader.followers) for clock in each.present]
        merged = [clock for clock in its if clock.follows or any(each.follows is clock for each in its)]
        past = [(clock, due) for clock in merged if clock.open and not clock.held and (due := clock.due()) < now]
        for clock, due in past:
            clock.breach(due, now)  # the promise was broken for all that kept it
        self.leader = None
        for clock in self.present:
            if clock.follows and clock.state == "breached" and clock.stopped is None:
                clock.left = clock.after()
            clock.follows = None
        return True

    def _let_go(self) -> None:
        """What follows a clock that was stopped by something that did not stop it too, goes on by itself."""
        for clock in [clock for each in self.followers for clock in each.present if clock.stopped is None]:
            if clock.follows and clock.follows.stopped is not None:
                if clock.state == "breached":
                    clock.left = clock.after()
                clock.follows = None


def _joined(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that touch or overlap as one."""
    joined: list[tuple[datetime, datetime]] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined

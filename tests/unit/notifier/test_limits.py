"""What providers bear: never more than that in any window, and as much as that where nobody is in the way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.channels.limits import LAG, SHORT, SLOTS, Given, Limit, Sent, Want, give, shipped
from notifier.channels.providers import PROVIDERS
from notifier.deliveries.sender import Sender

ROBOT = Want("robot", 20, 60)
pauses = st.floats(0, 200, allow_nan=False) | st.sampled_from([0.0, 3.5, 59.9, 60.0, 70.0, 73.5])


def wanting(want: Want, arrivals: list[tuple[float, int]]) -> list[float]:
    """When each was given of what was wanted after pauses of so many seconds, so many at a time."""
    sent, at, given_at = Sent(), 1_800_000_000.0, list[float]()
    for pause, wanted in arrivals:
        at += pause
        its, sent = give(Want(want.name, want.times, want.seconds, wanted), sent, at)
        given_at += [at] * its.count
    return given_at


@given(
    st.lists(st.tuples(pauses, st.integers(1, 40)), min_size=1, max_size=60),
    st.sampled_from(
        [ROBOT, Want("second", 5, 1), Want("short", 3, SHORT), Want("one", 1, 60), Want("day", 50, 86_400)]
    ),
)
@settings(max_examples=100, deadline=None)
def test_never_more_than_is_borne_in_any_window(arrivals: list[tuple[float, int]], want: Want) -> None:
    given_at = wanting(want, arrivals)
    # What is given may reach the provider a little later: then a window of theirs is a longer one of ours.
    assert (Sender.Config.lease.total_seconds() - Sender.Config.patience) <= LAG
    window = want.seconds + (LAG if want.seconds > SHORT else 0)
    for first in given_at:
        assert sum(first <= at < first + window for at in given_at) <= want.times


def test_all_that_is_borne_goes_at_once_and_again_soon_after_the_window() -> None:
    at = 1_800_000_000.0
    first, sent = give(Want("robot", 20, 60, wanted=50), Sent(), at)
    assert first.count == 20
    none, sent = give(ROBOT, sent, at + 30)
    assert none.count == 0
    again, _ = give(Want("robot", 20, 60, wanted=50), sent, at + 30 + none.wait)
    assert again.count == 20
    assert 30 + none.wait <= (60 + LAG) * (1 + 1 / SLOTS)


def test_a_clock_that_went_back_and_a_limit_that_was_lowered_give_nothing() -> None:
    at = 1_800_000_000.0
    _, sent = give(Want("robot", 20, 60, wanted=20), Sent(), at)
    assert give(ROBOT, sent, at - 3600)[0].count == 0
    assert give(Want("robot", 5, 60), sent, at + 1)[0].count == 0
    assert give(ROBOT, Sent(sent.slot, sent.counts[-2:]), at)[0].count == 0, "what is kept may be shorter"
    assert give(ROBOT, Sent(), at)[0] == Given(1)


def test_what_providers_have_published_is_shipped_for_each() -> None:
    assert shipped().keys() == PROVIDERS.keys()
    assert (shipped()["wecom"].bytes, shipped()["wecom"].limits) == (4096, (Limit(20, 60, "account"),))
    assert (shipped()["dingtalk"].bytes, shipped()["dingtalk"].limits) == (20_000, (Limit(20, 60, "account"),))
    assert Limit(50, 86_400, "template") in shipped()["aliyun"].limits

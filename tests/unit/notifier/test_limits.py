"""Buckets of tokens: never more than was agreed, and nothing lost by asking."""

from notifier.channels.limits import Given, Limit, Want, give, refilled, shipped
from notifier.channels.providers import PROVIDERS

TWENTY = Want("robot", 20, 60, wanted=5)


def test_a_bucket_fills_steadily_and_no_further_than_its_brim() -> None:
    assert refilled(TWENTY, 0.0, 3.0) == 1.0
    assert refilled(TWENTY, 19.5, 60.0) == 20.0
    assert refilled(TWENTY, 4.0, -5.0) == 4.0, "a clock that went back gives nothing, and takes nothing"


def test_only_whole_tokens_are_given_and_the_wait_is_for_the_next_one() -> None:
    assert give(TWENTY, 20.0) == Given(5, 0.0)
    assert give(TWENTY, 2.5) == Given(2, 1.5)
    assert give(TWENTY, 0.0) == Given(0, 3.0)


def test_what_providers_have_published_is_shipped_for_each() -> None:
    assert shipped().keys() == PROVIDERS.keys()
    assert (shipped()["wecom"].bytes, shipped()["wecom"].limits) == (4096, (Limit(20, 60, "account"),))
    assert (shipped()["dingtalk"].bytes, shipped()["dingtalk"].limits) == (20_000, (Limit(20, 60, "account"),))
    assert Limit(50, 86_400, "recipient") in shipped()["aliyun"].limits

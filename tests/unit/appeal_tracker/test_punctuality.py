"""The histogram of lateness: each firing in the bucket of its bound, and in all above it."""

from prometheus_client import REGISTRY

from appeal_tracker.clocks.punctuality import Fired, count


def buckets() -> dict[str, float]:
    return {
        sample.labels["le"]: sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "timer_lateness_seconds_bucket"
    }


def test_a_lateness_is_counted_at_and_above_its_bound() -> None:
    before = buckets()
    count({Fired("due", seconds): 1 for seconds in (0.0, 0.1, 0.10001, 86401.0)} | {Fired("due", 86400.0): 7})
    grown = {bound: number - before[bound] for bound, number in buckets().items()}
    assert list(grown)[:2] + list(grown)[-2:] == ["0.1", "0.25", "86400.0", "+Inf"]
    assert (grown["0.1"], grown["0.25"], grown["21600.0"], grown["86400.0"], grown["+Inf"]) == (2, 3, 3, 10, 11)

"""The topics: one writing service each, order per key, and a dead-letter topic beside each."""

from typing import NamedTuple

from contracts.envelope import dead_letter as dead_letter


class Topic(NamedTuple):
    """One topic of the bus. `partitions` counts on Kafka only; the embedded log has one.

    `retention_days`: how long a record stays; in a compacted topic, how long a tombstone does.
    """

    name: str
    writer: str
    compacted: bool
    retention_days: int
    partitions: int
    hearers: tuple[str, ...] = ()


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("visit.events", "visit_api", False, 14, 6, ("appeal_tracker", "notifier")),
        Topic("appeal.events", "appeal_tracker", False, 14, 6, ("visit_api", "notifier")),
        Topic("notification.events", "notifier", False, 7, 3),
        Topic("directory.changes", "visit_api", True, 30, 1, ("appeal_tracker", "notifier")),
        Topic("customer.changes", "visit_api", True, 30, 3),
    )
}

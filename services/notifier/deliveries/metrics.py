"""What the notifier tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

from chassis.telemetry import SECONDS

waiting = Gauge("notifier_deliveries", "Deliveries that have not come to their end, by state", ["state"])
decided = Counter("notifier_due", "Deliveries looked at because they were due", ["channel"])
sent = Counter("notifier_sent", "Deliveries a channel took", ["channel"])
reported = Counter("notifier_reported", "Sends of which a provider has said later what became of them", ["channel"])
dead = Counter("notifier_dead", "Deliveries given up, nobody having been told", ["reason"])
latency = Histogram("notifier_send_seconds", "How long a channel took to answer", ["channel"], buckets=SECONDS)
plain = Counter("notifier_template_failures", "Messages in plain words, their text having failed", ["template"])
no_link = Counter("notifier_link_unavailable", "Messages that wait for a customer's link", ["channel"])
no_contact = Counter("notifier_contact_unavailable", "Looks for an address that nobody answered", ["channel"])

"""What the dispatcher tells Prometheus."""

from prometheus_client import Counter

sent = Counter("notifier_webhooks", "Requests to webhook endpoints, by what became of them", ["outcome"])

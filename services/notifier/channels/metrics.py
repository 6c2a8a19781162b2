"""What channels tell Prometheus."""

from prometheus_client import Counter

problems = Counter(
    "notifier_account_problems", "Looks at an account by which nothing can be sent", ["channel", "problem"]
)

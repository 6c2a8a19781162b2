"""What the bus is told of deliveries."""

from datetime import datetime
from typing import Any

from contracts.notifications import NotificationDead, NotificationSent


def sent(delivery: Any, unit_code: str, at: datetime) -> NotificationSent:
    """A channel took it; `at` is when the quiet-hours check was passed."""
    return NotificationSent(
        delivery_id=delivery.id,
        send_id=delivery.send_id,
        event_id=delivery.event_id,
        recipient=delivery.recipient,
        channel=delivery.channel,
        unit_code=unit_code,
        at=at,
    )


def dead(delivery: Any, unit_code: str, at: datetime, reason: str) -> NotificationDead:
    """It was given up."""
    return NotificationDead(
        delivery_id=delivery.id,
        event_id=delivery.event_id,
        recipient=delivery.recipient,
        channel=delivery.channel,
        unit_code=unit_code,
        at=at,
        reason=reason,
    )

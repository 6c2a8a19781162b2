"""What became of a delivery: one per event, recipient and channel."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import Channel, DeathReason, Recipient, TemplateVersion, Time, UnitCode


class NotificationSent(Event, type="notification.sent.v1", topic="notification.events", key="delivery_id"):
    """The channel took the send that carries this delivery, alone or merged with others."""

    delivery_id: UUID
    send_id: UUID
    event_id: UUID
    recipient: Recipient
    channel: Channel
    unit_code: UnitCode
    at: Time


class NotificationDead(Event, type="notification.dead.v1", topic="notification.events", key="delivery_id"):
    """The delivery was given up; a person may still retry it."""

    delivery_id: UUID
    event_id: UUID
    recipient: Recipient
    channel: Channel
    unit_code: UnitCode
    at: Time
    reason: DeathReason


class NotificationTextFailed(
    Event, type="notification.text_failed.v1", topic="notification.events", key="send_id", subject="send_id"
):
    """A text that had been published failed when it was filled; people are told in plain words by this send."""

    send_id: UUID
    template: TemplateVersion
    channel: Channel
    unit_code: UnitCode
    at: Time

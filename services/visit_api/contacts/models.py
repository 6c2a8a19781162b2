"""Whom to speak to at a customer."""

from datetime import datetime
from typing import Literal, NamedTuple, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Made, Versioned
from visit_api.customers.phones import masked, masked_name

Role = Literal["principal", "power_manager", "duty", "finance", "guardian", "self", "other"]
Consent = Literal["not_asked", "given", "refused"]
Channel = Literal["phone", "sms", "email", "online", "on_site"]


class Person(NamedTuple):
    """What of a contact is personal, and sealed as one."""

    name: str
    phone: str | None = None
    email: str | None = None

    def masked(self) -> "Person":
        """As it is shown."""
        return Person(masked_name(self.name), None if self.phone is None else masked(self.phone), self.email and "****")


_UNOPENED = Person("**", None, None)


class Contact(Versioned, Made, Base):
    """A person to speak to, by role, and the channels by which that person agreed to be reached. A removed one keeps
    its row, without the person in it."""

    __tablename__ = "contacts"
    __table_args__ = (
        CheckConstraint(f"role IN {get_args(Role)}", name="contacts_role_known"),
        CheckConstraint(f"consent IN {get_args(Consent)}", name="contacts_consent_known"),
        Index("contacts_customer_id", "customer_id", "id"),
        Index("contacts_phone_index", "phone_index"),
        Index("contacts_feed", "changed_xid", "id"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    role: Mapped[str]
    person_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    consent: Mapped[str]
    channels: Mapped[list[str]]
    consented_at: Mapped[datetime | None]
    preferred: Mapped[bool]
    removed_at: Mapped[datetime | None]

    @property
    def person(self) -> Person:
        """As it is shown: masked, and nothing of it where nobody opened it."""
        shown: Person = getattr(self, "_person", _UNOPENED)
        return shown

    def show(self, person: Person) -> None:
        """Has `person` show so much."""
        self._person = person

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def phone(self) -> str | None:
        return self.person.phone

    @property
    def email(self) -> str | None:
        return self.person.email

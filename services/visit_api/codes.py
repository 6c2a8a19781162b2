"""Codes that several slices speak of."""

from enum import StrEnum
from typing import Literal

Channel = Literal["on_site", "phone", "online"]
Direction = Literal["outbound", "inbound"]


class Form(StrEnum):
    """How a visit is made, which says what must be prepared for it."""

    ORDINARY = "ordinary"
    DIRECTED = "directed"
    SPECIAL = "special"

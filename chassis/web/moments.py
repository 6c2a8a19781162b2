"""Which times can be stored: what a caller says happened, happened."""

from datetime import datetime, timedelta

from chassis.web.errors import FieldError, Unprocessable, Words

TOLERANCE = timedelta(minutes=2)  # a caller's clock may be that far ahead of ours


class InTheFuture(Unprocessable):
    slug = "in-the-future"
    title = Words("时间晚于当前时间", "In the future")
    detail = Words("最多可比当前时间晚 {seconds} 秒。", "At most {seconds} seconds ahead are taken.")

    def __init__(self, pointer: str) -> None:
        super().__init__(FieldError(pointer, "in_the_future", self.title), seconds=TOLERANCE.total_seconds())


def happened(at: datetime, now: datetime, pointer: str = "/at") -> datetime:
    """`at`, once it is sure not to lie ahead. Raises `InTheFuture`, pointing to the field."""
    if at > now + TOLERANCE:
        raise InTheFuture(pointer)
    return at

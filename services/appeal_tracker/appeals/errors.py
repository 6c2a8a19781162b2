"""What a caller can be told has gone wrong about an appeal."""

from datetime import datetime

from chassis.web.errors import Conflict, FieldError, NotFound, Unprocessable, Words


class AppealNotFound(NotFound):
    slug = "appeal-not-found"
    title = Words("诉求不存在", "No such appeal")


class AppealIsClosed(Conflict):
    slug = "appeal-closed"
    title = Words("诉求已办结", "The appeal is closed")
    detail = Words("已办结的诉求不再接受任何操作。", "A closed appeal takes no more acts.")


class AppealUnanswered(Conflict):
    slug = "appeal-unanswered"
    title = Words("诉求尚未答复", "The appeal is not answered yet")
    detail = Words(
        "回访须在答复之后进行（000 §7.2.5.1）。", "A callback asks about an answer that was given (000 §7.2.5.1)."
    )


class AppealIncomplete(Conflict):
    """`missing` lists what is not there, each with the clause that asks for it."""

    slug = "appeal-incomplete"
    title = Words("办结条件不满足", "Something is missing before the appeal can be closed")
    detail = Words("办结前须补齐所列各项。", "What is listed must be there before it can be closed.")


class BeforeReceived(Unprocessable):
    slug = "before-received"
    title = Words("时间早于诉求提出时间", "Before the appeal was received")

    def __init__(self, received_at: datetime) -> None:
        super().__init__(FieldError("/at", "before_received", self.title), received_at=received_at.isoformat())


class UnknownHandlingUnit(Unprocessable):
    slug = "unknown-handling-unit"
    title = Words("未知的承办单位", "Unknown handling unit")

    def __init__(self) -> None:
        super().__init__(FieldError("/handling_unit_code", "unknown_unit", self.title))


class NobodyNamed(Unprocessable):
    slug = "nobody-named"
    title = Words("须指明承办人或承办单位", "Name a handler, a handling unit, or both")

"""What can go wrong between a device and the record."""

from chassis.web.errors import Conflict, FieldError, Problem, Words


class CursorExpired(Problem):
    """The device's copy cannot be brought up to date any more; it starts again from nothing."""

    status = 410
    slug = "sync-cursor-expired"
    title = Words("同步游标已失效", "The cursor of this copy has expired")
    detail = Words(
        "请清空本地副本，不带 cursor 重新请求 {full_pull}。",
        "Empty the copy and ask {full_pull} again without a cursor.",
    )

    def __init__(self) -> None:
        super().__init__(full_pull="/v1/sync/pull")


class PreparedOtherwise(Conflict):
    slug = "sync-prepared-otherwise"
    title = Words("走访准备已另有记录", "What was prepared is on record otherwise")


class ConflictResolved(Conflict):
    slug = "sync-conflict-resolved"
    title = Words("冲突已作其他处理", "The conflict was resolved otherwise")
    detail = Words("已于 {resolved_at} 保留 {keep} 版本。", "The version of the {keep} was kept at {resolved_at}.")


BAD_CURSOR = FieldError("/cursor", "cursor", Words("游标无效", "Not a cursor that a pull has given"), "query")
NOT_OF_THE_TWO = FieldError("/kept", "not_of_the_two", Words("须为两次走访之一", "Neither of the two visits"))
KEPT_IS_DOUBLE = FieldError(
    "/kept", "double", Words("该走访已并入另一走访", "Said to be a double of another visit already")
)
OTHER_ID = FieldError("/id", "another_id", Words("与条目标识不同", "Another id than that of the item"))

"""What can go wrong with archiving."""

from chassis.web.errors import Conflict, FieldError, Words


class ArchiveIncomplete(Conflict):
    """`missing` lists what the archive still needs, each with the clause that asks for it."""

    slug = "archive-incomplete"
    title = Words("资料不齐，不能归档", "Not complete, so it cannot be archived")
    detail = Words("归档前须补齐 missing 所列内容。", "What `missing` lists comes first.")


class GapStaysOpen(Conflict):
    """What is still to be done is not replaced by a reason."""

    slug = "gap-stays-open"
    title = Words("该事项须办结，不能以说明代替", "No reason takes the place of what is still to be done")


class NothingNew(Conflict):
    slug = "nothing-to-supplement"
    title = Words("归档后没有新增内容", "Nothing came since it was archived")


class NotArchived(Conflict):
    slug = "visit-not-archived"
    title = Words("走访尚未归档", "The visit is not archived")


class HoldUnchanged(Conflict):
    slug = "hold-unchanged"
    title = Words("档案的保全状态未变", "The record is held, or not held, already")


NO_SUCH_GAP = FieldError("/what", "no_such_gap", Words("该条款没有此缺项", "The clause misses no such thing"))
NOT_BEFORE_TODAY = FieldError("/effective_from", "before_today", Words("不能早于今天", "Not before today"))
TOO_SHORT = FieldError("/words", "too_short", Words("每个词至少两个字", "Each word takes two signs at least"), "query")

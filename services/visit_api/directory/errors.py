"""What can go wrong in the directory."""

from chassis.web.errors import Conflict, FieldError, Words


class UnitTaken(Conflict):
    """Says no more: the unit that has the code may be another's."""

    slug = "unit-taken"
    title = Words("单位编码或标识已被使用", "Unit code or id already in use")
    detail = Words("单位 {code} 已存在，且内容不同。", "Unit {code} exists already, with other content.")


class StaffTaken(Conflict):
    """Says no more: whoever has the number may be another unit's."""

    slug = "staff-taken"
    title = Words("工号或标识已被使用", "Staff number or id already in use")
    detail = Words(
        "工号 {staff_no} 已存在，且内容不同。", "Staff number {staff_no} exists already, with other content."
    )


class UnitCycle(Conflict):
    slug = "unit-cycle"
    title = Words("上级单位不能是其自身或下级", "A unit cannot stand below itself")
    detail = Words("{parent_code} 是 {code} 的下级单位。", "{parent_code} is {code} or a unit below it.")


class UnitMerged(Conflict):
    slug = "unit-merged"
    title = Words("单位已并入其他单位", "The unit was merged into another")
    detail = Words("{code} 已并入 {into}，不再变更。", "{code} was merged into {into}, and does not change any more.")


def merged_unit(pointer: str, into: str) -> FieldError:
    """A unit that takes nothing new."""
    said = Words(f"该单位已并入 {into}", f"That unit was merged into {into}")
    return FieldError(pointer, "merged_unit", said)


def unknown_unit(pointer: str) -> FieldError:
    """A unit that there is not, or that is not the caller's to name."""
    return FieldError(pointer, "unknown_unit", Words("未知的单位", "No such unit"))


def unknown_staff(pointer: str) -> FieldError:
    """A member of staff whom there is not, who has left, or who stands neither in the unit nor above or below it."""
    return FieldError(pointer, "unknown_staff", Words("未知的人员", "No such active member of staff"))

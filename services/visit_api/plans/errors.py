"""What can go wrong with plans."""

from chassis.web.errors import Conflict, FieldError, Words


class PlanTaken(Conflict):
    """Says no more: the plan that has the id may be another unit's."""

    slug = "plan-taken"
    title = Words("该周期的计划或标识已存在", "There is a plan of that period, or with that id, already")


class PlanItemTaken(Conflict):
    """Says no more: the item that has the id may be another unit's."""

    slug = "plan-item-taken"
    title = Words("计划项标识已被使用", "Plan item id already in use")


class PlanIsApproved(Conflict):
    slug = "plan-approved"
    title = Words("计划已审批，只能由主管调整", "The plan is approved: only a supervisor changes it")


class PlanIsGenerating(Conflict):
    slug = "plan-generating"
    title = Words("计划正在生成", "The plan is being generated")


def unknown_item(pointer: str) -> FieldError:
    """An item that there is not, that is dropped, or that is not the caller's to name."""
    return FieldError(pointer, "unknown_plan_item", Words("未知的计划项", "No such plan item"))


def other_customer(pointer: str) -> FieldError:
    """An item that wants another customer visited."""
    return FieldError(pointer, "other_customer", Words("计划项针对的是另一客户", "The item is about another customer"))


def other_channel(pointer: str) -> FieldError:
    """A visit by another channel than the plan wants."""
    zh, en = "与计划项的渠道不同，请先说明原因调整计划项", "Not the item's channel: adjust the item first, and say why"
    return FieldError(pointer, "other_channel", Words(zh, en))


def other_form(pointer: str) -> FieldError:
    """A visit for which less is prepared than the plan wants."""
    zh, en = "与计划项的形式不同，请先说明原因调整计划项", "Not the item's form: adjust the item first, and say why"
    return FieldError(pointer, "other_form", Words(zh, en))


def outside_period(pointer: str) -> FieldError:
    """Days that do not lie in the plan's year or month."""
    return FieldError(pointer, "outside_period", Words("不在计划周期内", "Outside the plan's period"))


def name_twice(pointer: str) -> FieldError:
    """Two rules of one name."""
    return FieldError(pointer, "name_twice", Words("规则名称重复", "Two rules have this name"))


DAYS_BACKWARDS = FieldError("/due_by", "before_due_from", Words("早于 due_from", "Before due_from"))

"""What can go wrong with customers."""

from chassis.web.errors import Conflict, FieldError, Forbidden, Words


class CustomerTaken(Conflict):
    """Says no more: the customer that has the id may be another unit's, or removed."""

    slug = "customer-taken"
    title = Words("客户标识已被使用", "Customer id already in use")
    detail = Words("标识 {id} 已用于内容不同的客户。", "The id {id} was used for a customer with other content.")


class MarkIsDecided(Forbidden):
    """Whether a customer is at risk is neither derived nor imported: a person answers for it."""

    slug = "customer-mark-decided"
    title = Words("标记只能由主管变更", "Only a supervisor changes the marks of a customer")
    detail = Words("服务风险由主管认定（规范 {clause}）。", "A supervisor says who is at risk (clause {clause}).")


WHY_MARKED = FieldError("/reason", "missing", Words("标记的改变须说明原因", "Why the marks change has to be said"))


def unknown_customer(pointer: str) -> FieldError:
    """A customer that there is not (any more), or that is not the caller's to name."""
    return FieldError(pointer, "unknown_customer", Words("未知的客户", "No such customer"))


def masked_value(pointer: str) -> FieldError:
    """A number or an address as it is shown, sent back."""
    return FieldError(pointer, "masked", Words("这是隐去部分内容后的显示值", "This is how it is shown, masked"))

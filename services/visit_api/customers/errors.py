"""What can go wrong with customers."""

from chassis.web.errors import Conflict, FieldError, Words


class CustomerTaken(Conflict):
    """Says no more: the customer that has the id may be another unit's, or removed."""

    slug = "customer-taken"
    title = Words("客户标识已被使用", "Customer id already in use")
    detail = Words("标识 {id} 已用于内容不同的客户。", "The id {id} was used for a customer with other content.")


def unknown_customer(pointer: str) -> FieldError:
    """A customer that there is not (any more), or that is not the caller's to name."""
    return FieldError(pointer, "unknown_customer", Words("未知的客户", "No such customer"))


def masked_value(pointer: str) -> FieldError:
    """A number or an address as it is shown, sent back."""
    return FieldError(pointer, "masked", Words("这是隐去部分内容后的显示值", "This is how it is shown, masked"))

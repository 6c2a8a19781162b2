"""What can go wrong with an import of importance."""

from chassis.web.errors import Conflict, FieldError, Words


class DocumentTaken(Conflict):
    slug = "importance-document-taken"
    title = Words("文件标识已被使用", "Document id already in use")
    detail = Words("标识 {id} 已用于内容不同的文件。", "The id {id} was used for a document with other content.")


def which(pointer: str) -> FieldError:
    """An item that names no customer, or one in two ways."""
    words = Words("须以 customer_id 或 customer_no 之一指明客户", "Name the customer by customer_id or by customer_no")
    return FieldError(pointer, "one_of_both", words)


def twice(pointer: str) -> FieldError:
    """A customer of whom the document says two things."""
    return FieldError(pointer, "named_twice", Words("同一客户出现两次", "The same customer is named twice"))


def many(pointer: str) -> FieldError:
    """A number that several customers bear."""
    words = Words("多个客户使用该编号，请改用 customer_id", "Several customers bear this number: name one by its id")
    return FieldError(pointer, "several_customers", words)

"""What can go wrong with attachments."""

from chassis.web.errors import Conflict, FieldError, Forbidden, Unprocessable, Words


class AttachmentTaken(Conflict):
    """Says no more: the attachment that has the id may be another unit's."""

    slug = "attachment-taken"
    title = Words("附件标识已被使用", "Attachment id already in use")
    detail = Words("标识 {id} 已用于内容不同的附件。", "The id {id} was used for an attachment with other content.")


class TooManyAttachments(Conflict):
    slug = "too-many-attachments"
    title = Words("附件数量已达上限", "No more attachments can be added")
    detail = Words("一次走访最多 {limit} 个附件。", "A visit has at most {limit} attachments.")


class UploadOver(Conflict):
    """Its bytes are there, or it was given up: nothing more is taken."""

    slug = "upload-over"
    title = Words("上传已结束", "The upload is over")
    detail = Words("附件状态为 {state}，不再接收内容。", "The attachment is {state} and takes no more bytes.")


class NotTheirs(Forbidden):
    """A supervisor may give it up as well."""

    slug = "attachment-of-another"
    title = Words("附件由他人声明", "Somebody else declared the attachment")
    detail = Words("只有声明人或主管可以放弃上传。", "Whoever declared it gives it up, or a supervisor.")


class UploadIncomplete(Conflict):
    """What has arrived stays; `parts` says what it is."""

    slug = "upload-incomplete"
    title = Words("内容尚未传齐", "The upload is not complete")
    detail = Words("已收到 {received} 字节，共 {size} 字节。", "{received} bytes of {size} have arrived, and are kept.")


class MoreThanDeclared(Conflict):
    slug = "more-than-declared"
    title = Words("内容超过声明的大小", "More bytes than were declared")
    detail = Words("附件声明为 {size} 字节。", "The attachment was declared with {size} bytes.")


class NotStored(Conflict):
    slug = "attachment-not-stored"
    title = Words("附件尚无内容", "The attachment has no bytes yet")
    detail = Words("附件状态为 {state}。", "The attachment is {state}.")


class ContentRefused(Unprocessable):
    """The bytes are not what was declared. None of them is kept; the same upload can be begun again."""

    slug = "attachment-refused"
    title = Words("附件内容不符合声明，未予保存", "The bytes are not what was declared, and were not kept")


def hash_differs() -> ContentRefused:
    """The bytes have another SHA-256."""
    words = Words("内容的 SHA-256 与声明不符", "The bytes have another SHA-256")
    return ContentRefused(FieldError("/sha256", "hash_mismatch", words))


def not_allowed(kind: str) -> ContentRefused:
    """The bytes are of no type that such an attachment may have."""
    words = Words(f"内容不是 {kind} 类附件允许的格式", f"The bytes are of no type that a {kind} may have")
    return ContentRefused(FieldError("/kind", "type_not_allowed", words))


def mislabelled(found: str) -> ContentRefused:
    """The name says one type, the bytes are of another."""
    words = Words(f"文件名与内容不符：内容为 {found}", f"The name says otherwise: the bytes are {found}")
    return ContentRefused(FieldError("/name", "mislabelled", words))


def unsound() -> ContentRefused:
    """A document or a picture that is damaged, or would burst whoever opens it."""
    words = Words("文件已损坏，或展开后过大", "Damaged, or too large once it is unpacked")
    return ContentRefused(FieldError("", "unsound", words))


def too_large(limit: int) -> Unprocessable:
    """More bytes are declared than a file may have."""
    words = Words(f"最多 {limit} 字节", f"At most {limit} bytes")
    return Unprocessable(FieldError("/size", "too_large", words))


EMPTY_PART = FieldError("", "empty", Words("内容为空", "There are no bytes"))

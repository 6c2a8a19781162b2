"""What can go wrong with contacts."""

from chassis.web.errors import Conflict, FieldError, Words


class ContactTaken(Conflict):
    """Says no more: the contact that has the id may be another unit's, or removed."""

    slug = "contact-taken"
    title = Words("联系人标识已被使用", "Contact id already in use")
    detail = Words("标识 {id} 已用于内容不同的联系人。", "The id {id} was used for a contact with other content.")


NO_CONSENT = FieldError(
    "/channels", "no_consent", Words("未取得同意，不能登记联系方式", "No channel without the person's consent")
)

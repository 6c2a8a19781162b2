"""What can go wrong with policy posts."""

from chassis.web.errors import Conflict, FieldError, Words


class PostTaken(Conflict):
    """Says no more: the post that has the id may be another unit's."""

    slug = "post-taken"
    title = Words("信息标识已被使用", "Post id already in use")
    detail = Words("标识 {id} 已用于内容不同的信息。", "The id {id} was used for a post with other content.")


class PostActRefused(Conflict):
    """The act does not follow in this state; `clause` is the one that wants posts approved."""

    slug = "post-act-refused"
    title = Words("信息当前状态不允许此操作", "Not possible in the post's present state")
    detail = Words(
        "信息处于 {state}，不能执行 {act}；发布须先审核（规范 {clause}）。",
        "The post is {state}, which does not allow to {act} it: approval comes first (clause {clause}).",
    )


class ApprovalByAnother(Conflict):
    """Who wrote or submitted a post does not approve it."""

    slug = "approval-by-another"
    title = Words("须由他人审核", "Somebody else approves it")
    detail = Words(
        "起草人、提交人不得审核自己的信息（规范 {clause}）。",
        "Who wrote or submitted a post does not approve it (clause {clause}).",
    )


class PolicyLapsed(Conflict):
    slug = "post-policy-lapsed"
    title = Words("所宣传的政策已失效", "The policy that it tells of is not in force")
    detail = Words(
        "资料已过期、已替代或已撤回（规范 {clause}）。", "It expired, was replaced or withdrawn (clause {clause})."
    )


def unknown_group(place: int) -> FieldError:
    """A group that there is not, or that is not the caller's to name."""
    return FieldError(f"/group_ids/{place}", "unknown_group", Words("未知的群", "No such group"))

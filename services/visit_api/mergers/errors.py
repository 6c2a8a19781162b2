"""What can go wrong when units merge."""

from chassis.web.errors import Conflict, Words


class MergerTaken(Conflict):
    slug = "merger-taken"
    title = Words("合并标识已被使用", "Merger id already in use")
    detail = Words("标识 {id} 已用于内容不同的合并。", "The id {id} was used for a merger with other content.")

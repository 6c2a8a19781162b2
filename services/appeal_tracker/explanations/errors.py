"""What a caller can be told has gone wrong about an explanation."""

from chassis.web.errors import NotFound, Words


class DeadlineNotFound(NotFound):
    slug = "deadline-not-found"
    title = Words("时限不存在", "No such deadline")

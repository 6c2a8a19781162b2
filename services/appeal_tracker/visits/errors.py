"""What a caller can be told has gone wrong about a visit."""

from chassis.web.errors import NotFound, Words


class VisitNotFound(NotFound):
    slug = "visit-not-found"
    title = Words("走访不存在", "No such visit")

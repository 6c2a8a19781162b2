"""What a caller can be told has gone wrong about code tables."""

from chassis.web.errors import NotFound, Words


class SourceNotFound(NotFound):
    slug = "source-not-found"
    title = Words("没有该来源系统的代码表", "No code table of such a system")

"""What can go wrong with archiving."""

from chassis.web.errors import Conflict, Words


class ArchiveIncomplete(Conflict):
    """`missing` lists what the archive still needs, each with the clause that asks for it."""

    slug = "archive-incomplete"
    title = Words("资料不齐，不能归档", "Not complete, so it cannot be archived")
    detail = Words("归档前须补齐 missing 所列内容。", "What `missing` lists comes first.")

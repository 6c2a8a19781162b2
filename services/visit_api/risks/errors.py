"""What can go wrong with suggestions."""

from chassis.web.errors import Conflict, Words


class AlreadyDecided(Conflict):
    slug = "suggestion-already-decided"
    title = Words("该建议已处理", "The suggestion is not open any more")
    detail = Words("当前状态：{state}。", "It is {state}.")

"""What can be wrong with the answers to a checklist."""

from chassis.web.errors import FieldError, Words

_ELSEWHERE = Words("该走访渠道不适用此项", "Not asked of a visit by this channel")
_TWICE = Words("同一项回答了两次", "The item is answered twice")
_NO_REASON = Words("回答“否”须说明原因", "A no says why")


def item_elsewhere(place: int) -> FieldError:
    return FieldError(f"/answers/{place}/item", "item_of_another_channel", _ELSEWHERE)


def item_twice(place: int) -> FieldError:
    return FieldError(f"/answers/{place}/item", "item_twice", _TWICE)


def no_reason(place: int) -> FieldError:
    return FieldError(f"/answers/{place}/note", "reason_required", _NO_REASON)

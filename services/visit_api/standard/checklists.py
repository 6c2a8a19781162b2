"""What visitors answer for after a visit, item by item with its clause: by its channel (T/SDPEA §6.1.3, §6.2.2,
§6.3.2), of their own conduct (§8.2) and of what is confidential (§8.1.4); in words of our own."""

from collections.abc import Mapping
from typing import NamedTuple

from chassis.web.errors import Words


class Item(NamedTuple):
    """A statement that is answered yes, no or not applicable, after visits by `channels`."""

    code: str
    clause: str
    words: Words
    channels: frozenset[str] = frozenset({"on_site", "phone", "online"})


# What can only be seen of somebody who is there.
_FACE_TO_FACE = frozenset({"on_site"})
_SEEN = frozenset({"conduct.appearance", "conduct.badge"})


def _sheet(name: str, *items: tuple[str, str, str, str]) -> tuple[Item, ...]:
    sheet = (Item(f"{name}.{code}", clause, Words(zh, en)) for code, clause, zh, en in items)
    return tuple(item._replace(channels=_FACE_TO_FACE) if item.code in _SEEN else item for item in sheet)


# What is asked of calls that were missed or came out of hours (§6.2.2.3–4) and of first contact (§8.2.4) is not
# answered here: those are obligations of their own.
SHEETS: Mapping[str, tuple[Item, ...]] = {
    "on_site": _sheet(
        "on_site",
        (
            "appointed",
            "6.1.3.1",
            "需要预约的，事先约好时间并讲明内容和地点",
            "Where needed, time, subject and place were agreed",
        ),
        ("in_time", "6.1.3.1", "按约定时间到达现场", "We were there at the agreed time"),
        ("identified", "6.1.3.2", "到达时主动出示工作证件", "We showed our badges on arrival without being asked"),
        ("introduced", "6.1.3.2", "到达时作了自我介绍", "We introduced ourselves on arrival"),
        ("kit", "6.1.3.3", "带齐了走访设施和用品", "We had the whole kit with us"),
        ("house_rules", "6.1.3.4", "遵守了对方的内部规章制度", "We kept to the rules of the house"),
        ("customs", "6.1.3.4", "尊重了对方的民族习俗和宗教信仰", "We respected customs and religion"),
    ),
    "phone": _sheet(
        "phone",
        ("introduced", "6.2.2.1", "接通后先作自我介绍", "I introduced myself first"),
        ("reason", "6.2.2.1", "随后说明了走访事由", "I then said why I called"),
        ("polite", "6.2.2.2", "使用了礼貌用语", "I spoke politely"),
        ("to_the_point", "6.2.2.2", "事由说得准确、简洁", "I came to the point, and it was right"),
        ("plain_terms", "6.2.2.2", "少用生僻的专业用语", "I kept to plain terms"),
    ),
    "online": _sheet(
        "online",
        ("invited", "6.3.2.1", "邀请对方关注或订阅本单位的线上渠道", "We invited them to follow our online channels"),
        (
            "name_card",
            "6.3.2.2",
            "账号的形象、名称统一，服务名片公开",
            "The account shows our look, our name and a card",
        ),
        ("introduced", "6.3.2.2", "新进群的人员作了自我介绍", "Whoever joined a group introduced themselves"),
        ("prompt", "6.3.2.3", "对方的诉求都及时作了响应", "Whatever was raised was taken up promptly"),
        ("approved_only", "6.3.2.4", "只发布了经过审核的政策信息", "We posted only what had been approved"),
        ("data_safe", "6.3.2.5", "对方的信息没有在线上外泄", "No data of theirs became known online"),
    ),
    "conduct": _sheet(
        "conduct",
        ("appearance", "8.2.1", "仪容得体，着装整洁规范", "We were properly dressed"),
        ("badge", "8.2.1", "佩戴了统一的工作证或工作牌", "We wore our badges"),
        ("nothing_refused", "8.2.2", "没有推诿、拒绝或搪塞任何诉求", "We put nothing off and refused nothing"),
        ("answered", "8.2.2", "解答及时、耐心、准确", "We answered at once, patiently and rightly"),
        ("courteous", "8.2.3", "用语文明，态度诚恳，未说服务禁语", "We were courteous and said nothing improper"),
        ("plain_speech", "8.2.3", "有问必答，少用专业术语", "We answered every question in plain words"),
        ("no_favours", "8.2.5", "未要求接送，未接受宴请、礼品和有价证券", "We asked for no favours and took none"),
    ),
    "confidentiality": _sheet(
        "confidentiality",
        ("personal_data", "8.1.4", "没有对外泄露对方的个人信息", "We disclosed no personal data of theirs"),
        ("business_secrets", "8.1.4", "没有对外泄露对方的商业秘密", "We disclosed no business secret of theirs"),
        ("their_wishes", "8.1.4", "尊重了对方提出的保密要求", "We kept what they asked us to keep"),
    ),
}
ITEMS: Mapping[str, Item] = {item.code: item for sheet in SHEETS.values() for item in sheet}


def sheet(name: str, channel: str) -> tuple[Item, ...]:
    """The items of the sheet `name` that are answered after a visit by `channel`."""
    return tuple(item for item in SHEETS[name] if channel in item.channels)

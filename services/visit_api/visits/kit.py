"""What is prepared for a visit by its channel, as data: each thing by the clause that asks for it (T/SDPEA §6.1.2,
§6.2.2, §6.3.2, §7.2.1). Pure."""

from collections.abc import Mapping
from typing import NamedTuple


class Item(NamedTuple):
    """A thing to have ready; of a `device` it is asked whether it works."""

    name: str
    clause: str
    title: str
    device: bool = False


def _things(clause: str) -> tuple[Item, ...]:
    return (
        Item("handheld", clause, "可移动办公的手持终端", device=True),
        Item("recorder", clause, "多媒体记录设备", device=True),
        Item("contact_card", clause, "服务联系卡"),
        Item("materials", clause, "各类政策及业务宣传资料"),
        Item("feedback_book", clause, "纸质/电子意见收集记录本"),
    )


KIT: Mapping[str, tuple[Item, ...]] = {
    "on_site": _things("6.1.2"),
    "phone": (*_things("7.2.1"), Item("reason", "6.2.2.1", "走访事由及其通俗说明")),
    "online": (*_things("7.2.1"), Item("account", "6.3.2.2", "统一标识、名称并附服务名片的账号")),
}

"""The words of the page, in both languages; a field or code that has none here is shown as it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from chassis.web.errors import Language, Words
from visit_api.archive.meanings import CODES
from visit_api.archive.sections import TITLES
from visit_api.standard.checklists import SHEETS

_ITEMS = {item.code: item.words for sheet in SHEETS.values() for item in sheet}


class Speech:
    """Says things in one language."""

    def __init__(self, language: Language, called: Mapping[str, str]) -> None:
        """`called`: what people call the things that stand somewhere by their id."""
        self.language: Language = language
        self._called = called
        self.tag = "zh-CN" if language == "zh" else "en"

    def __call__(self, key: str, **context: object) -> str:
        """The label or sentence called `key`."""
        words = LABELS.get(key)
        return words.say(self.language, context) if words else key

    def title(self, section: str) -> str:
        """The title of a section."""
        return TITLES[section][0].say(self.language)

    def pairs(self, its: Iterable[tuple[str, str]]) -> str:
        """Names and values on one line."""
        between, after = ("：", "；") if self.language == "zh" else (": ", "; ")
        return after.join(f"{self(name)}{between}{value}" for name, value in its)

    def several(self, values: Iterable[str]) -> str:
        """Values beside each other."""
        return ("、" if self.language == "zh" else ", ").join(values)

    def filed_as(self, its: str | None) -> str:
        """The class of a record, `ordinary.on_site`."""
        form, _, channel = (its or "").partition(".")
        return self.several(self.code(field, value) for field, value in (("form", form), ("channel", channel)) if value)

    def code(self, field: str, value: Any) -> str:
        """What a value means in its field, for example `channel`, `phone`; of a thing, what it is called."""
        if field == "what":  # of a gap, sometimes with the id of what it is about
            value, _, id_ = str(value).partition(":")
            if id_ in self._called:
                return self.several((self.code(field, value), self._called[id_]))
        if value in self._called:
            return self._called[value]
        if field in ("item", "what") and value in _ITEMS:
            return _ITEMS[value].say(self.language)
        words = CODES.get(field, {}).get(str(value)) or CODES[""].get(str(value))
        return words.say(self.language) if words else str(value)


LABELS: dict[str, Words] = {
    "sheet": Words("走访记录单", "Visit record"),
    "times": Words("所有时间均为北京时间（UTC+8）。", "All times are civil times in China (UTC+8)."),
    "draft": Words("尚未归档：以下为当前内容。", "Not archived yet: this is how it stands."),
    "since": Words(
        "已于 {archived_at} 归档：以下为当前内容，归档内容以归档记录为准。",
        "Archived on {archived_at}: this is how it stands now; what was archived is in the archive.",
    ),
    "filed": Words(
        "归档类别 {filed_as}，{entered_at} 由 {by} 归档，至少保存至 {keep_until}。",
        "Filed as {filed_as}, archived on {entered_at} by {by}, kept at least until {keep_until}.",
    ),
    "held": Words("依法保全：{reason}", "Under a legal hold: {reason}"),
    "supplement": Words("补充记录 {number}（{entered_at}）", "Supplement {number} ({entered_at})"),
    "contents": Words("目录", "Contents"),
    "none": Words("无", "none"),
    "system": Words("系统", "the system"),
    "signatures": Words("签字", "Signatures"),
    "customer_signs": Words("客户签字", "The customer"),
    "unsigned": Words(
        "{at} 存入的客户签字文件缺失或已非原件，无法显示。",
        "The file of the signature stored on {at} is missing, or is not what was stored, and cannot be shown.",
    ),
    "visitor_signs": Words("走访人员签字", "The visitors"),
    "date": Words("日期", "Date"),
    "made": Words("走访编号 {id}。", "Of the visit {id}."),
    "yes": Words("是", "yes"),
    "no": Words("否", "no"),
    "customer": Words("走访对象", "Customer"),
    "customer_no": Words("客户编号", "Customer number"),
    "accounts": Words("户号", "Account numbers"),
    "importance": Words("重要性", "Importance"),
    "unit_code": Words("单位", "Unit"),
    "channel": Words("方式", "Channel"),
    "form": Words("形式", "Form"),
    "direction": Words("方向", "Direction"),
    "state": Words("状态", "State"),
    "scheduled_at": Words("计划时间", "Planned for"),
    "arrived_at": Words("到达时间", "Arrived"),
    "started_at": Words("开始时间", "Started"),
    "completed_at": Words("结束时间", "Ended"),
    "ended_at": Words("结束时间", "Ended"),
    "staff": Words("服务人员", "Staff"),
    "flow": Words("服务流程", "Course"),
    "sections": Words("记录内容", "Recorded"),
    "feedback": Words("客户反馈", "Feedback"),
    "service_record.anomalies": Words("异常情况", "Anomalies"),
    "rule": Words("计划规则", "Rule"),
    "due_from": Words("计划自", "Due from"),
    "due_by": Words("计划至", "Due by"),
    "adjusted": Words("人工调整", "Adjusted by hand"),
    "prepared_at": Words("准备时间", "Prepared"),
    "prepared_by": Words("准备人", "Prepared by"),
    "preparation.kit": Words("走访物品及设备检查", "Kit, and check of the devices"),
    "thing": Words("物品 / 设备", "What"),
    "ready": Words("是否备好", "Ready"),
    "works": Words("检查是否可用", "Found to work"),
    "online.accounts": Words("服务账号及名片", "Accounts and name cards"),
    "online.inquiries": Words("线上咨询", "Questions asked online"),
    "platform": Words("平台", "Platform"),
    "handle": Words("账号", "Account"),
    "staff_no": Words("工号", "Number"),
    "name": Words("姓名 / 名称", "Name"),
    "post": Words("岗位", "Post"),
    "kind": Words("类别", "Kind"),
    "at": Words("时间", "When"),
    "type": Words("类型", "Type"),
    "round": Words("轮次", "Round"),
    "appeal_no": Words("受理编号", "Number"),
    "summary": Words("内容", "What was said"),
    "received_at": Words("提出时间", "Received"),
    "outcome": Words("结果", "Outcome"),
    "appeals.handling": Words("办理时间及时限（最近一轮）", "When it was handled, and its deadlines (last round)"),
    "contacted_at": Words("联系时间", "Contacted"),
    "answered_at": Words("答复时间", "Answered"),
    "closed_at": Words("办结时间", "Closed"),
    "deadlines": Words("时限", "Deadlines"),
    "milestone": Words("时限", "Deadline"),
    "due_at": Words("截止", "due"),
    "kept": Words("是否按时", "Kept"),
    "satisfaction": Words("满意度（1–5）", "Satisfaction (1–5)"),
    "clause": Words("条款", "Clause"),
    "what": Words("事项", "What"),
    "reason": Words("原因", "Reason"),
    "given_by": Words("说明人", "Given by"),
    "item": Words("项目", "Item"),
    "answer": Words("答复 / 结果", "Answer"),
    "needs": Words("需求", "Needs"),
    "category": Words("类别", "Category"),
    "description": Words("说明", "Description"),
    "topic": Words("主题", "Topic"),
    "question": Words("问题", "Question"),
    "reason_not_answered": Words("未当场答复的原因", "Why not at once"),
    "services": Words("业务", "Services"),
    "service": Words("业务", "Service"),
    "interest": Words("意向", "Interest"),
    "materials": Words("政策材料", "Materials"),
    "title": Words("标题", "Title"),
    "version": Words("版次", "Edition"),
    "to": Words("对象", "To"),
    "appeal_ids": Words("诉求", "Appeals"),
    "proposal": Words("方案", "Proposal"),
    "owner": Words("责任人", "Owner"),
    "due_on": Words("完成期限", "Due on"),
    "result": Words("结果", "Result"),
    "on": Words("日期", "On"),
    "note": Words("备注", "Note"),
    "answered_by": Words("填写人", "By"),
    "size": Words("字节", "Bytes"),
    "declared_by": Words("声明人", "Declared by"),
    "given_up_at": Words("放弃时间", "Given up"),
    "given_up_by": Words("放弃人", "By"),
    "sha256": Words("SHA-256", "SHA-256"),
    "content": Words("内容", "Content"),
    "recorded_by": Words("记录人", "By"),
    "purpose": Words("事由", "Purpose"),
    "place": Words("地点", "Place"),
    "window_from": Words("约定自", "From"),
    "window_to": Words("约定至", "To"),
    "usage_analysis": Words("用电分析", "Usage analysis"),
    "solution_proposal": Words("解决方案", "Solution proposal"),
    "plan_document": Words("走访方案", "Plan"),
    "from_visitors": Words("移交人", "From"),
    "to_visitors": Words("接收人", "To"),
    "called_at": Words("来电时间", "Called"),
    "discharged_at": Words("办结时间", "Done"),
    "words": Words("说明", "Words"),
    "device": Words("终端", "Device"),
    "brought_by": Words("上传人", "Brought by"),
    "keep": Words("采信", "Kept"),
    "other_id": Words("另一记录", "The other record"),
    "counts": Words("本记录是否计入", "Whether this one counts"),
    "decided_at": Words("认定时间", "Decided"),
    "decided_by": Words("认定人", "By"),
    "body": Words("终端所记", "What the device said"),
}

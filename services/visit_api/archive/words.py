"""The words of the page, in both languages; a field or code that has none here is shown as it is."""

from collections.abc import Iterable
from typing import Any

from chassis.web.errors import Language, Words
from visit_api.archive.sections import TITLES
from visit_api.standard import contents as standard
from visit_api.standard.checklists import SHEETS

_ITEMS = {item.code: item.words for sheet in SHEETS.values() for item in sheet}


class Speech:
    """Says things in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
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
        """What a value means in its field, for example `channel`, `phone`."""
        if field in ("item", "what") and value in _ITEMS:
            return _ITEMS[value].say(self.language)
        words = CODES.get(field, {}).get(str(value)) or CODES[""].get(str(value))
        return words.say(self.language) if words else str(value)


LABELS: dict[str, Words] = {
    "title": Words("走访记录单", "Visit record"),
    "times": Words("所有时间均为北京时间（UTC+8）。", "All times are civil times in China (UTC+8)."),
    "draft": Words("尚未归档：以下为当前内容。", "Not archived yet: this is how it stands."),
    "filed": Words(
        "归档类别 {filed_as}，{entered_at} 由 {by} 归档，至少保存至 {keep_until}。",
        "Filed as {filed_as}, archived on {entered_at} by {by}, kept at least until {keep_until}.",
    ),
    "held": Words("依法保全：{reason}", "Under a legal hold: {reason}"),
    "supplement": Words("补充记录 {number}（{entered_at}）", "Supplement {number} ({entered_at})"),
    "none": Words("无", "none"),
    "system": Words("系统", "the system"),
    "signatures": Words("签字", "Signatures"),
    "customer_signs": Words("客户签字", "The customer"),
    "unsigned": Words(
        "{at} 存入的客户签字文件缺失，无法显示。",
        "The file of the signature stored on {at} is missing and cannot be shown.",
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
    "proposal": Words("方案", "Proposal"),
    "owner": Words("责任人", "Owner"),
    "due_on": Words("完成期限", "Due on"),
    "result": Words("结果", "Result"),
    "on": Words("日期", "On"),
    "note": Words("备注", "Note"),
    "answered_by": Words("填写人", "By"),
    "size": Words("字节", "Bytes"),
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
    "body": Words("终端所记", "What the device said"),
}

CODES: dict[str, dict[str, Words]] = {
    "": {"True": Words("是", "yes"), "False": Words("否", "no"), "None": Words("—", "—")},
    "category": dict(standard.NEEDS),
    "topic": dict(standard.TOPICS),
    "service": dict(standard.SERVICES),
    "interest": dict(standard.INTEREST),
    "channel": {
        "on_site": Words("现场", "on site"),
        "phone": Words("电话", "by phone"),
        "online": Words("线上", "online"),
    },
    "form": {
        "ordinary": Words("普通走访", "ordinary"),
        "directed": Words("定向走访", "directed"),
        "special": Words("专项走访", "special"),
    },
    "direction": {"outbound": Words("主动走访", "outbound"), "inbound": Words("客户来访", "inbound")},
    "state": {
        "planned": Words("已计划", "planned"),
        "in_progress": Words("进行中", "in progress"),
        "completed": Words("已结束", "completed"),
        "archived": Words("已归档", "archived"),
        "open": Words("办理中", "open"),
        "closed": Words("已办结", "closed"),
        "done": Words("已办", "done"),
    },
    "type": {
        "complaint": Words("投诉", "complaint"),
        "report": Words("举报", "report"),
        "opinion": Words("意见", "opinion"),
        "suggestion": Words("建议", "suggestion"),
        "consultation": Words("咨询", "consultation"),
        "brought_late": Words("归档后补送", "brought after it was archived"),
        "appeal.closed.v1": Words("诉求办结", "an appeal was closed"),
        "appeal.reopened.v1": Words("诉求重启", "an appeal was reopened"),
        "appeal.called_back.v1": Words("诉求回访", "a customer was called back"),
        "appeal.reclassified.v1": Words("诉求类型变更", "an appeal was reclassified"),
    },
    "outcome": {
        "resolved": Words("已解决", "resolved"),
        "withdrawn": Words("客户撤回", "withdrawn"),
        "merged": Words("合并办理", "merged"),
        "void": Words("作废", "void"),
        "stored": Words("已记录", "stored"),
        "same": Words("与记录一致", "as on record"),
        "conflict": Words("与记录不符", "contradicts the record"),
    },
    "keep": {"device": Words("终端", "the device's"), "server": Words("原记录", "the record's")},
    "answer": {
        "yes": Words("是", "yes"),
        "no": Words("否", "no"),
        "not_applicable": Words("不适用", "not applicable"),
    },
    "kind": {
        "government": Words("政府", "government"),
        "key_project": Words("重点项目", "key project"),
        "partner.energy_body": Words("能源机构", "energy body"),
        "partner.source_grid_load_storage": Words("源网荷储企业", "source-grid-load-storage firm"),
        "partner.academia": Words("高校院所", "academia"),
        "other.important": Words("重要用户", "important customer"),
        "other.service_risk": Words("服务风险用户", "customer at risk"),
        "other.special_group": Words("特殊群体", "special group"),
        "other.ordinary": Words("普通用户", "ordinary customer"),
        "photo": Words("照片", "photo"),
        "audio": Words("录音", "recording"),
        "document": Words("文件", "document"),
        "signature": Words("签名", "signature"),
        "publicise": Words("政策宣传", "publicity"),
        "needs": Words("业务需求", "needs"),
        "promotion": Words("业务推广", "promotion"),
        "consultation": Words("咨询解答", "consultation"),
        "appeals": Words("诉求受理", "appeals"),
        "strategy": Words("服务策略", "strategy"),
        "visit": Words("走访", "visit"),
        "preparation": Words("走访前准备", "preparation"),
        "appointment": Words("预约", "appointment"),
        "appointment_refusal": Words("客户谢绝", "refusal"),
        "appointment_cancellation": Words("取消预约", "cancellation of what was agreed"),
        "arrival": Words("到达", "arrival"),
        "start": Words("开始", "beginning"),
        "completion": Words("结束", "end"),
        "cancellation": Words("取消走访", "cancellation"),
        "miss": Words("未成行", "did not take place"),
        "checklist": Words("自查", "checklist"),
        "step": Words("走访内容", "step"),
        "appeal": Words("诉求", "appeal"),
        "attachment": Words("附件", "file"),
        "missed_call": Words("未接来电", "missed call"),
        "out_of_hours_call": Words("非工作时间来电", "call out of hours"),
        "untaken_call": Words("不便接听", "call not taken"),
        "agreed": Words("已约定", "agreed"),
        "moved": Words("改期", "moved"),
        "refused": Words("客户谢绝", "refused"),
        "cancelled": Words("取消", "cancelled"),
    },
    "what": {
        "kit": Words("走访物品准备", "kit"),
        "appointment": Words("预约", "appointment"),
        "arrival": Words("到达记录", "arrival"),
        "publicise": Words("政策宣传", "publicity"),
        "needs": Words("业务需求", "needs"),
        "appeals": Words("诉求受理", "appeals"),
        "strategy": Words("服务策略", "strategy"),
        "promotion": Words("业务推广", "promotion"),
        "visit_completed": Words("走访结束", "end of the visit"),
        "appeal_closed": Words("诉求办结", "end of an appeal"),
    },
}

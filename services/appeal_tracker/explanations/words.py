"""The words of the page, in both languages; a code that has none here is shown as it is."""

from appeal_tracker.calendars.civil import DAY, HOUR
from appeal_tracker.calendars.period import Period, Unit
from appeal_tracker.policies.ladder import PARTS, Measure, Moment
from chassis.web.errors import Language, Words

_MINUTE = HOUR // 60


class Speech:
    """Says things in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self.tag = "zh-CN" if language == "zh" else "en"

    def __call__(self, key: str, **context: object) -> str:
        """The label or sentence called `key`."""
        return LABELS[key].say(self.language, context)

    def code(self, kind: str, value: str) -> str:
        """What a code means, for example `state`, `met`."""
        words = CODES[kind].get(value)
        return words.say(self.language) if words else value

    def codes(self, kind: str, values: list[str]) -> str:
        """Several of them."""
        return ("、" if self.language == "zh" else ", ").join(self.code(kind, value) for value in values)

    def period(self, within: Period) -> str:
        """A period as it is written: `7 个工作日`."""
        if self.language == "en":
            return str(within)
        unit = {Unit.HOURS: "小时", Unit.WORKING_DAYS: "个工作日", Unit.CALENDAR_DAYS: "个自然日"}[within.unit]
        return f"{within.count} {unit}" + ("" if within.closes == DAY else "（至营业结束）")

    def step(self, name: str) -> str:
        """A step of a ladder by its name: `-1wd` is `截止前 1 个工作日`."""
        moment = Moment.named(name)
        if moment.measure is Measure.PARTS:
            return self("step.part", percent=f"{100 * moment.amount / PARTS:g}")
        unit = Unit.HOURS if moment.measure is Measure.HOURS else Unit.WORKING_DAYS
        away = self.period(Period(abs(moment.amount), unit))
        return self("step.every" if "#" in name else f"step.{moment.phase}", away=away, time=moment.times)

    def rule(self, within: Period) -> str:
        """How such a period is counted, by law."""
        closing = (
            "24:00" if within.closes == DAY else f"{within.closes // HOUR:02}:{within.closes % HOUR // _MINUTE:02}"
        )
        return self(f"rule.{within.unit}", count=within.count, closing=closing)


LABELS: dict[str, Words] = {
    "title": Words("办理时限说明", "Explanation of a deadline"),
    "times": Words("所有时间均为北京时间（UTC+8）。", "All times are civil times in China (UTC+8)."),
    "appeal_no": Words("受理编号", "Appeal number"),
    "type": Words("诉求类型", "Type"),
    "visit": Words("走访", "Visit"),
    "unit": Words("所属单位", "Unit"),
    "handling_unit": Words("承办单位", "Handled by unit"),
    "milestone": Words("办理环节", "Milestone"),
    "round": Words("轮次", "Round"),
    "started": Words("起算时间", "Runs from"),
    "within": Words("规定时限", "Period"),
    "due": Words("截止时间", "Due"),
    "state": Words("当前状态", "State"),
    "stopped": Words("完成时间", "Stopped at"),
    "breached": Words("违约记录时间", "Breach recorded at"),
    "basis": Words("依据", "Basis"),
    "clause": Words("条款", "Clause"),
    "clause_of": Words("{pack} 第 {clause} 条", "{pack}, clause {clause}"),
    "policy": Words("策略版本", "Policy version"),
    "calendar": Words("日历版本", "Calendar version"),
    "counting": Words("计算规则", "Rule of counting"),
    "provisional": Words(
        "暂定：所涉年份尚无放假通知，部分日期为估算，通知公布后将重新计算。",
        "Provisional: it touches a year without a published notice, whose days are estimated. "
        "It is calculated anew when the notice is published.",
    ),
    "late_arrival": Words(
        "系统得知起算事实（或诉求改类、改用策略）时该时限已过，因而即时记为违约。",
        "It was past already when the system heard of what it runs from (or the appeal was given another type, or "
        "another policy), and was recorded as breached at once.",
    ),
    "standing": Words(
        "该时限自 {since} 起暂停；恢复后截止时间按暂停的整日（或小时）顺延。",
        "It has stood still since {since}; when it resumes it moves by the whole days (or hours) of that hold.",
    ),
    "cancelled": Words(
        "该时限自 {since} 起暂停，取消时仍未恢复，截止时间未因此顺延。",
        "It had stood still since {since} when it was cancelled; that put its deadline off no more.",
    ),
    "days": Words("逐日计算", "Day by day"),
    "own_days": Words("本诉求自身时限的逐日计算", "Day by day, the period of this appeal itself"),
    "rule.hours": Words(
        "自起算时刻起连续计算 {count} 小时，夜间与休息日不间断（《民法典》第二百零一条第二款）。",
        "The period runs for {count} hours from the instant, through nights and days off (Civil Code, art. 201(2)).",
    ),
    "rule.working days": Words(
        "起算当日不计入，自次日起计算工作日，调休上班日计入（《民法典》第二百零一条第一款）；"
        "至第 {count} 个工作日 {closing} 届满（第二百零三条）。",
        "The day it starts on is not counted (Civil Code, art. 201(1)). Working days are counted from the next day on, "
        "make-up working days among them; it ends at {closing} of working day {count} (art. 203).",
    ),
    "rule.calendar days": Words(
        "起算当日不计入，自次日起逐日计算 {count} 日（《民法典》第二百零一条第一款）；"
        "最后一日为休息日的，顺延至其后第一个工作日，于 {closing} 届满（第二百零三条）。",
        "The day it starts on is not counted (Civil Code, art. 201(1)). {count} days are counted from the next day on; "
        "a last day that is off gives way to the next working day, and it ends at {closing} of that day (art. 203).",
    ),
    "day_n": Words("第 {n} 日", "day {n}"),
    "not_counted": Words("不计", "not counted"),
    "starts_at": Words("{time} 起算", "starts {time}"),
    "ends_at": Words("{time} 截止", "ends {time}"),
    "estimated": Words("估算", "estimated"),
    "sources": Words("特殊日期及其依据", "Special days, and on whose word"),
    "date": Words("日期", "Date"),
    "what": Words("性质", "What it is"),
    "name": Words("名称", "Name"),
    "source": Words("依据文件", "Source"),
    "promise": Words("合并诉求的承诺", "Promise of a merged appeal"),
    "promise_why": Words(
        "本诉求与诉求 {appeal} 合并办理，保留其中最早的截止时间：{due}。"
        "以下为该时限的逐日计算，规定时限为 {within}（{clause}）。",
        "This appeal is merged with appeal {appeal}, and the earliest deadline among them is kept: {due}. "
        "Below are the days of that deadline, a period of {within} ({clause}).",
    ),
    "another_unit": Words("（其他单位）", "(of another unit)"),
    "holds": Words("暂停记录", "Holds"),
    "since": Words("起", "Since"),
    "until": Words("止", "Until"),
    "reason": Words("原因", "Reason"),
    "held_by": Words("暂停人", "Held by"),
    "resumed_by": Words("恢复人", "Resumed by"),
    "still": Words("仍在暂停", "still held"),
    "in_confidence": Words("（保密）", "(in confidence)"),
    "recalculations": Words("截止时间变更记录", "Recalculations"),
    "at": Words("时间", "When"),
    "cause": Words("原因", "Cause"),
    "old": Words("原截止时间", "Old deadline"),
    "new": Words("新截止时间", "New deadline"),
    "versions": Words("策略 / 日历版本", "Policy / calendar"),
    "by": Words("操作人", "By"),
    "system": Words("系统", "the system"),
    "was_provisional": Words("暂定", "provisional"),
    "ladder": Words("提醒与升级", "Ladder of warnings"),
    "step": Words("节点", "Step"),
    "step.part": Words("规定时限过去 {percent}%", "{percent}% of the period gone"),
    "step.before": Words("截止前 {away}", "{away} before the deadline"),
    "step.due": Words("截止时", "at the deadline"),
    "step.after": Words("截止后 {away}", "{away} after the deadline"),
    "step.every": Words("截止后每隔 {away}，第 {time} 次", "every {away} after the deadline, number {time}"),
    "moment": Words("应触发时间", "Moment"),
    "tell": Words("通知对象", "Tells"),
    "fired": Words("实际触发时间", "Fired at"),
    "late": Words("迟于应触发时间", "late"),
    "facts": Words("违约、完成、更正与取消记录", "Breach, stop, correction and cancellation"),
    "fact": Words("事项", "What"),
    "true_time": Words("实际发生时间", "True time"),
    "recorded": Words("记录时间", "Recorded at"),
    "none": Words("无", "none"),
    "made": Words("本说明生成于 {at}，时限编号 {id}。", "Made at {at}, of the deadline {id}."),
}

CODES: dict[str, dict[str, Words]] = {
    "weekday": {
        str(number): Words(zh, en)
        for number, (zh, en) in enumerate(
            zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
        )
    },
    "type": {
        "complaint": Words("投诉", "complaint"),
        "report": Words("举报", "report"),
        "opinion": Words("意见", "opinion"),
        "suggestion": Words("建议", "suggestion"),
        "consultation": Words("咨询", "consultation"),
    },
    "milestone": {
        "contact": Words("联系客户", "contact"),
        "answer": Words("答复", "answer"),
        "callback": Words("回访", "callback"),
        "arrival": Words("到达现场", "arrival"),
        "archive": Words("归档", "archive"),
    },
    "state": {
        "running": Words("进行中", "running"),
        "held": Words("暂停", "held"),
        "met": Words("按时完成", "met"),
        "breached": Words("超时违约", "breached"),
        "cancelled": Words("已取消", "cancelled"),
    },
    "day": {
        "start_day": Words("起算日", "start day"),
        "held": Words("暂停", "held"),
        "hours": Words("连续计时", "runs through"),
        "calendar_day": Words("自然日", "calendar day"),
        "workday": Words("工作日", "working day"),
        "make_up": Words("调休上班", "make-up working day"),
        "weekend": Words("周末", "weekend"),
        "festival": Words("放假", "day off"),
    },
    "cause": {
        "calendar_version": Words("日历新版本", "new calendar version"),
        "policy_version": Words("策略新版本", "new policy version"),
        "assignment": Words("单位策略变更", "policy of the unit"),
        "hold": Words("暂停", "hold"),
        "resume": Words("恢复", "resumed"),
        "merge": Words("合并", "merged"),
        "unmerge": Words("取消合并", "merge undone"),
        "correction": Words("更正", "correction"),
    },
    "timer": {
        "pending": Words("未到时间", "to come"),
        "held": Words("暂停", "held"),
        "fired": Words("已触发", "fired"),
        "cancelled": Words("已取消", "cancelled"),
    },
    "audience": {
        "owner": Words("责任人", "owner"),
        "unit_supervisors": Words("本单位主管", "supervisors of the unit"),
        "parent_unit_supervisors": Words("上级单位主管", "supervisors of the unit above"),
    },
    "hold": {"closed": Words("办结期间（重启后继续计算）", "closed, and reopened to go on")},
    "fact": {
        "deadline_breached": Words("记为违约", "breach recorded"),
        "deadline_met": Words("按时完成", "met"),
        "deadline_corrected": Words("更正：实为按时完成", "corrected: it was met in time"),
        "deadline_ended": Words("违约后完成", "done after the breach"),
        "deadline_cancelled": Words("取消", "cancelled"),
    },
}

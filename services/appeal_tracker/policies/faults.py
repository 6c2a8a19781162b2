"""What is found wrong with a pack, in Chinese: each form of fault that the rules word, and what it says."""

FAULTS = (
    # calendars.period
    (r"'(.+)' is not a period such as .+", r"“\1”不是期限；应如 24 hours、7 working days、10 calendar days"),
    (r"'(.+)' is longer than (\d+) .+", r"“\1”过长，最多 \2"),
    (r"'(.+)': hours run through the night and know no close of business", r"“\1”：小时期限不适用营业结束时间"),
    (r"'(.+)' needs the hour of `close_of_business`", r"“\1”需要 close_of_business"),
    # policies.ladder
    (r"'(.+)' is the start itself; .+", r"“\1”即起点；比例须在 0 与 1 之间"),
    (
        r"'(.+)' reaches too far: at most (\d+) h or wd in all, at most (\d+) times",
        r"“\1”过远：共最多 \2 h 或 wd，\3 次",
    ),
    (r"'(.+)' is no moment such as .+", r"“\1”不是时点；应如 0.5、-4h、-1wd、due、+2h、every 1wd, at most 5"),
    # policies.pack
    (r"quiet hours that end as they begin never end", r"静默时段的起止时间不能相同"),
    (r"a day that closes at midnight has no business hours", r"营业结束时间不能为零点"),
    (r"`reopen` does not say what begins again", r"未指定 reopen"),
    (r"a figure needs the clause that states it", r"期限须注明条款"),
    (r"(.+) is none of (.+)", r"\1 不在允许值之内：\2"),
    (r"(.+) is given twice", r"\1 重复"),
    # policies.inheritance
    (r"names no calendar, and there is none to inherit", r"未指定日历，也无可继承的日历"),
    (r"(.+) has no figure to inherit", r"\1 没有可继承的期限"),
    (r"nothing under (.+) starts when (.+)", r"\1 下没有自 \2 起算的期限"),
    # policies.strictness
    (
        r"(.+) is laxer than (.+): started (.+), it would be due (.+) instead of (.+)",
        r"\1 比 \2 宽松：自 \3 起算，将于 \4 到期，而不是 \5",
    ),
    (r"(.+) is missing", r"缺少 \1"),
    (r"runs from (.+), its parent from (.+)", r"自 \1 起算，而上级自 \2 起算"),
    (r"its parent times this milestone and lets nothing hold it", r"上级规定了该时限且不允许中止"),
    (r"what is held is left out in (.+), by its parent in (.+)", r"暂停的时间按 \1 扣除，而上级按 \2 扣除"),
    (r"the mandatory step (.+) no longer tells (.+)", r"必要步骤 \1 不再通知 \2"),
    (r"no hours are quiet, its parent keeps (.+)", r"没有静默时段，而上级的静默时段为 \1"),
    (r"(.+) are quiet, its parent keeps (.+)", r"静默时段 \1 未包含上级的 \2"),
    (r"accepts (.+), its parent does not", r"接受 \1，而上级不接受"),
    (r"(.+) are fewer than (.+)", r"\1 少于 \2"),
    (r"its parent requires a callback for (.+) too", r"上级还要求回访 \1"),
    (r"its parent asks for (.+)", r"上级要求 \1"),
    (r"(.+) is below (.+)", r"\1 低于 \2"),
    (r"reopened (.+) are not contacted again, as its parent asks", r"重开的 \1 不再联系客户，而上级要求再次联系"),
    (
        r"reopened (.+) have the whole period anew, its parent gives what was left",
        r"重开的 \1 重新计满期限，而上级只计剩余期限",
    ),
    (
        r"reopened (.+) go on with what was left in another unit than by its parent",
        r"重开的 \1 计剩余期限的单位与上级不同",
    ),
    (
        r"reopened (.+) run from another contact, its parent from the reopening",
        r"重开的 \1 自再次联系起算，而上级自重开起算",
    ),
)

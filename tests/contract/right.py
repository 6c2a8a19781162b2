"""What a right call of each route takes: the thing it is about, and the body. A route that is not in here fails a test.

Keys are `Place.thing` and `Place.name`.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from tests.contract.house import NEEDS, House, Json
from tests.contract.places import Place

Make = Callable[[House], Awaitable[str]]


# Things of a unit, by what their paths begin with.
THINGS: dict[str, Make] = {
    "visit_api /v1/units/{code}": House.unit,
    "visit_api /v1/staff/{staff_no}": House.member,
    "visit_api /v1/customers/{id}": House.customer,
    "visit_api /v1/contacts/{id}": House.contact,
    "visit_api /v1/imports/{id}": House.imported,
    "visit_api /v1/risk-suggestions/{id}": House.risk_suggestion,
    "visit_api /v1/importance-documents/{id}": House.importance_document,
    "visit_api /v1/visits/{id}": House.visit,
    "visit_api /v1/appeals/{id}": House.appeal,
    "visit_api /v1/materials/{id}": House.material,
    "visit_api /v1/online/accounts/{id}": House.service_account,
    "visit_api /v1/online/groups/{id}": House.service_group,
    "visit_api /v1/online/inquiries/{id}": House.inquiry,
    "visit_api /v1/online/posts/{id}": House.post,
    "visit_api /v1/attachments/{id}": House.stored,
    "visit_api /v1/archive/{visit_id}": House.archived,
    "visit_api /v1/obligations/{id}": House.owed,
    "visit_api /v1/plans/{id}": House.plan,
    "visit_api /v1/plan-items/{id}": House.wanted,
    "visit_api /v1/measures/{id}": House.measure,
    "visit_api /v1/sync/conflicts/{id}": House.conflict,
    "visit_api /v1/sync/suspicions/{id}": House.suspicion,
    "appeal_tracker /v1/units/{code}": House.unit,
    "appeal_tracker /v1/visits/{id}": House.followed,
    "appeal_tracker /v1/appeals/{id}": House.appeal,
    "appeal_tracker /v1/deadlines/{id}": House.deadline,
    "appeal_tracker /v1/callback-tasks/{id}": House.callback_task,
    "appeal_tracker /v1/recalculations/{id}": House.recalculation,
    "appeal_tracker /v1/simulations/{id}": House.simulation,
    "appeal_tracker /v1/absences/{id}": House.absence,
    "notifier /v1/deliveries/{id}": House.delivery,
    "notifier /v1/accounts/{id}": House.account,
    "notifier /v1/webhooks/{id}": House.webhook,
    "notifier /v1/webhook-messages/{id}": House.webhook_message,
    "notifier /v1/routes/{id}": House.route,
    "notifier /v1/groups/{id}": House.group,
    "notifier /v1/duties/{id}": House.duty,
    "notifier /v1/substitutes/{id}": House.substitute,
}
# Where the act wants the thing in another state.
STATES: dict[str, Make] = {
    "visit_api GET /v1/visits/{id}/arrival": House.arrived,
    "visit_api POST /v1/visits/{id}/complete": House.started,
    "visit_api POST /v1/visits/{id}/appeals": House.completed,
    "visit_api GET /v1/units/{code}/rulebooks": House.decided,
    "visit_api POST /v1/visits/{id}/appointment/cancel": House.appointed,
    "visit_api POST /v1/visits/{id}/steps": House.started,
    "visit_api POST /v1/online/groups/{id}/leave": House.joined,
    "visit_api POST /v1/online/posts/{id}/approve": House.submitted,
    "visit_api POST /v1/online/posts/{id}/return": House.submitted,
    "visit_api POST /v1/online/posts/{id}/publish": House.approved,
    "visit_api POST /v1/visits/{id}/archive": House.completed,
    "visit_api POST /v1/visits/{id}/supplements": House.archived_before_its_photo,
    "visit_api POST /v1/archive/{visit_id}/release": House.kept_for_the_law,
    "visit_api PUT /v1/attachments/{id}/parts/{number}": House.declared,
    "visit_api POST /v1/attachments/{id}/complete": House.uploaded,
    "visit_api POST /v1/attachments/{id}/give-up": House.declared,
    "visit_api POST /v1/measures/{id}/verify": House.measure_done,
    "visit_api POST /v1/measures/{id}/send-back": House.measure_done,
    "appeal_tracker POST /v1/appeals/{id}/callbacks": House.answered,
    "appeal_tracker POST /v1/appeals/{id}/callback-tasks": House.answered,
    "appeal_tracker POST /v1/appeals/{id}/callback-links": House.answered,
    "appeal_tracker POST /v1/appeals/{id}/callback-links/for-send": House.answered,
    "appeal_tracker POST /v1/callback-tasks/{id}/complete": House.follow_up,
    "appeal_tracker POST /v1/appeals/{id}/close": House.answered,
    "appeal_tracker POST /v1/appeals/{id}/milestones": House.surveyed,
    "appeal_tracker POST /v1/appeals/{id}/hold": House.holdable,
    "appeal_tracker POST /v1/appeals/{id}/resume": House.held,
    "appeal_tracker POST /v1/appeals/{id}/merge": House.with_a_twin,
    "appeal_tracker POST /v1/appeals/{id}/unmerge": House.merged,
    "appeal_tracker POST /v1/appeals/{id}/reopen": House.closed,
    "appeal_tracker POST /v1/appeals/{id}/return": House.dispatched,
    "appeal_tracker POST /v1/appeals/{id}/finding": House.answered,
    "appeal_tracker POST /v1/appeals/{id}/reclassify": House.asked,
    "appeal_tracker POST /v1/calendars/{calendar}/versions": House.new_calendar,
    "appeal_tracker POST /v1/policies/{policy}/withdraw": House.pack,
}
# What belongs to no unit: everybody reads the same of it. It is changed by an admin of a top-level unit, if at all.
COMMON: dict[str, str | Make] = {
    "appeal_tracker /v1/calendars/{calendar}": "cn-statutory",
    "appeal_tracker /v1/policies/{policy}": "t-sdpea",
    "appeal_tracker /v1/code-tables/{source}": House.code_table,
    "notifier /v1/quiet-hours/{id}": "staff.mailbox",
    "notifier /v1/templates/{id}": "deadline.warned.mailbox.zh-CN",
}
COMMON_LISTS = {
    "visit_api GET /v1/standard",
    "appeal_tracker GET /v1/calendars",
    "appeal_tracker GET /v1/code-tables",
    "appeal_tracker GET /v1/invariants",
    "appeal_tracker GET /v1/policies",
    "notifier GET /v1/channels",
    "notifier GET /v1/quiet-hours",
    "notifier GET /v1/templates",
}
# Lists of what is common, and of what is a unit's besides.
SHARED = {"notifier GET /v1/routes"}
# Figures of the caller's unit and those below it, by one that is not zero: neither a thing nor a list.
REPORTS = {
    "appeal_tracker GET /v1/statistics": "received",
    "appeal_tracker GET /v1/workload": "open",
    "visit_api GET /v1/online/figures": "received",
    "visit_api GET /v1/online/publishing": "published",
    "visit_api GET /v1/analysis": "count",
}
# What is the caller's own, and nobody else's: neither a thing nor a list.
OWN = {"appeal_tracker GET /v1/my-day", "visit_api GET /v1/my-day", "visit_api GET /v1/sync/pull"}
# What in it a unit above has published for the caller's.
PUBLISHED = {"visit_api GET /v1/sync/pull": "material"}
# What a thing cannot be asked without.
QUERIES: dict[str, dict[str, str]] = {
    "visit_api GET /v1/visits/{id}/arrival": {"reason": "核实到达争议"},
    "visit_api GET /v1/customers/{id}/full": {"reason": "核对联系方式"},
    "visit_api GET /v1/contacts/{id}/full": {"reason": "核对联系方式"},
    "visit_api GET /v1/obligations/{id}/full": {"reason": "回拨漏接来电"},
    "appeal_tracker GET /v1/calendars/{calendar}/days": {"from": "2026-10-01", "to": "2026-10-31"},
}


async def _customer(house: House) -> Json:
    return {
        "name": house.secret,
        "kind": "key_project",
        "unit_code": house.ours,
        "customer_no": "0102030405",
        "accounts": ["0000001"],
        "phone": "0531-88888888",
        "importance": "一级",
    }


async def _importance(house: House) -> Json:
    document = {"government_body": "市发展改革委", "document_no": "发改电〔2026〕8号", "determined_on": "2026-09-30"}
    return {**document, "items": [{"customer_id": await house.customer(), "level": "first"}]}


async def _planned(house: House) -> Json:
    return {
        "customer_id": await house.customer(),
        "channel": "phone",
        "scheduled_at": house.ago(hours=-3),
        "visitor_ids": [house.staff_no],
    }


def _same(**body: Any) -> Callable[[House], Awaitable[Json]]:
    async def give(house: House) -> Json:
        return body

    return give


def _just_now(**body: Any) -> Callable[[House], Awaitable[Json]]:
    async def give(house: House) -> Json:
        return {"at": house.ago(), **body}

    return give


async def _plan(house: House) -> Json:
    return {"unit_code": await house.unit(), "period": "2026"}


async def _wanted(house: House) -> Json:
    days = {"due_from": "2026-10-12", "due_by": "2026-10-31"}
    return {"customer_id": await house.customer(), "channel": "phone", "reason": "扩建投产", **days}


async def _owed(house: House) -> Json:
    new = {"kind": "missed_call", "customer_id": await house.customer(), "called_at": house.ago(minutes=9)}
    return {**new, "owner": house.staff_no, "note": "响铃三声"}


async def _brought(house: House) -> Json:
    started = {"kind": "start", "id": str(uuid4()), "at": house.ago(), "visit_id": await house.visit()}
    return {"device": "P-1", "sent_at": house.ago(), "items": [started]}


async def _merging(house: House) -> Json:
    return {"kept": house.twin_visit or await house.visit(), "reason": "同一次走访"}


async def _measure(house: House) -> Json:
    return house.new_measure()


async def _handed(house: House) -> Json:
    return {"visitor_ids": [house.staff_no], "reason": "临时抢修", "at": house.ago()}


async def _appointment(house: House) -> Json:
    window = {"window_from": house.ago(hours=-20), "window_to": house.ago(hours=-21)}
    return {"purpose": "了解用电需求", "place": "三楼会议室", **window, "reason": "客户要求", "at": house.ago()}


async def _raised(house: House) -> Json:
    return {"type": "complaint", "summary": "电压不稳", "received_at": house.ago(minutes=5)}


async def _file(house: House) -> Json:
    digest = hashlib.sha256(house.picture).hexdigest()
    return {"name": f"{house.secret}.png", "kind": "photo", "size": len(house.picture), "sha256": digest}


async def _picture(house: House) -> bytes:
    return house.picture


async def _export(house: House) -> bytes:
    return house.export()


async def _export_of_units(house: House) -> bytes:
    return f"code,name,parent_code\n{uuid4().hex},{house.secret},{house.ours}\n".encode()


async def _export_of_staff(house: House) -> bytes:
    return f"staff_no,name,unit_code\n{uuid4().hex},{house.secret},{house.ours}\n".encode()


async def _handed_over(house: House) -> Json:
    return {"to_staff_no": await house.member(), "reason": "调离"}


async def _merged(house: House) -> Json:
    return {"into": await house.unit(), "reason": "供电所整合"}


async def _unit(house: House) -> Json:
    return {"code": uuid4().hex, "name": "新供电所", "parent_code": house.ours}


async def _member(house: House) -> Json:
    member = {"staff_no": uuid4().hex, "name": "新人", "unit_code": house.ours, "roles": ["visitor", "handler"]}
    return {**member, "phone": "13900000000", "email": "new@example.com"}


async def _material(house: House) -> Json:
    return house.new_material()


async def _service_account(house: House) -> Json:
    return house.new_service_account()


async def _service_group(house: House) -> Json:
    return {**house.new_service_group(), "kind": "direct", "customer_ids": [await house.customer()]}


async def _joining(house: House) -> Json:
    return {"account_id": await house.service_account(), "introduced": True, "at": house.ago()}


async def _leaving(house: House) -> Json:
    return {"account_id": house.member_account or await house.service_account(), "at": house.ago()}


async def _asked(house: House) -> Json:
    return {"question": "何时送电", "received_at": house.ago(minutes=5), "visit_id": await house.visit()}


async def _post(house: House) -> Json:
    return {**house.new_post(), "material_id": await house.published(), "group_ids": [await house.service_group()]}


async def _past(house: House) -> Json:
    return {"from": "2026-10-01", "to": "2026-10-09", "unit_code": await house.unit(), "policy": "state-grid@1"}


async def _case(house: House) -> Json:
    return {"appeal_type": "complaint", "received_at": house.ago(hours=1), "unit_code": house.ours}


async def _pack(house: House) -> Json:
    return house.new_pack()


async def _merge(house: House) -> Json:
    return {"into": house.twin or await house.appeal(), "note": "同一事由"}


async def _report(house: House) -> Json:
    return {"report_by": house.ago(hours=-3), "note": "当日反馈"}


async def _absence(house: House) -> Json:
    return {"since": house.ago(), "until": house.ago(hours=-8), "substitute": house.staff_no}


async def _back(house: House) -> Json:
    return {"until": house.ago(hours=-4)}


async def _posted(house: House) -> Json:
    its = {"source": "95598", "source_no": uuid4().hex, "type": "consultation", "unit_code": house.ours}
    said = {"summary": house.secret, "reason_not_answered": "需查文件", "received_at": house.ago(minutes=5)}
    return {**its, **said, "taken_by": "H001", "category_code": "T9", "anonymous": True}


async def _recalculation(house: House) -> Json:
    return {"cause": "assignment", "unit_code": await house.unit()}  # not of all that is ours: it would take its time


async def _call_later(house: House) -> Json:
    return {"at": house.ago(hours=-2), "agreed": True, "person": house.staff_no}


_STOP_WORK: Json = {"name": "台风停工", "date": "2026-11-02", "isOffDay": True}
_TEXT: Json = {"event_type": "digest", "channel": "mailbox", "language": "en", "subject": "{{ count }}", "body": "Of:"}


async def _route(house: House) -> Json:
    return house.new_route()


async def _imagined(house: House) -> Json:
    return {"event_type": "appeal.urged", "unit_code": house.ours}


async def _group(house: House) -> Json:
    return house.new_group()


async def _duty(house: House) -> Json:
    return house.new_duty()


async def _substitute(house: House) -> Json:
    return await house.new_absence()


async def _members(house: House) -> Json:
    return _without(house.new_group(), "unit_code")


async def _turn(house: House) -> Json:
    return _without(house.new_duty(), "unit_code", "role")


async def _stand_in(house: House) -> Json:
    return _without(await house.new_absence(), "staff_no")


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


BODIES: dict[str, Callable[[House], Awaitable[Any]]] = {
    "visit_api POST /v1/units": _unit,
    "visit_api PATCH /v1/units/{code}": _same(name="改名"),
    "visit_api POST /v1/staff": _member,
    "visit_api PATCH /v1/staff/{staff_no}": _same(roles=["visitor"], active=True),
    "visit_api POST /v1/customers": _customer,
    "visit_api PATCH /v1/customers/{id}": _same(kind="partner.academia", accounts=["1", "2"]),
    "visit_api POST /v1/customers/find": _same(phone="13812340000"),
    "visit_api POST /v1/customers/{id}/contacts": _same(
        name="王建国", role="duty", phone="13812340000", consent="given", channels=["sms"]
    ),
    "visit_api POST /v1/risk-suggestions/{id}/confirm": _same(note="已上门核实"),
    "visit_api POST /v1/risk-suggestions/{id}/dismiss": _same(reason="系统误报"),
    "visit_api PATCH /v1/contacts/{id}": _same(role="finance", preferred=True),
    "visit_api POST /v1/importance-documents": _importance,
    "visit_api POST /v1/visits": _planned,
    "visit_api PATCH /v1/visits/{id}": _same(channel="online"),
    "visit_api PUT /v1/visits/{id}/preparation": _same(
        plan_document="走访方案", kit=[{"item": "handheld", "ready": "yes"}]
    ),
    "visit_api POST /v1/plans": _plan,
    "visit_api POST /v1/plans/{id}/generate": _same(),
    "visit_api POST /v1/plans/{id}/approve": _same(),
    "visit_api POST /v1/plans/{id}/items": _wanted,
    "visit_api PATCH /v1/plan-items/{id}": _same(channel="online", due_by="2026-10-30", reason="改为线上"),
    "visit_api PUT /v1/units/{code}/plan-rules": _same(
        rules=[{"name": "own", "kinds": ["government"], "channel": "on_site", "period": "year", "times": 2}]
    ),
    "visit_api POST /v1/obligations": _owed,
    "visit_api POST /v1/obligations/{id}/discharge": _just_now(words="已回拨并说明漏接原因"),
    "visit_api POST /v1/obligations/{id}/waive": _same(reason="客户已再次来电"),
    "visit_api POST /v1/staff/{staff_no}/hand-over": _handed_over,
    "visit_api POST /v1/units/{code}/merge": _merged,
    "visit_api PUT /v1/units/{code}/source-rules": _same(fields=[{"field": "phone", "sources": ["sg2", "plain"]}]),
    "visit_api PUT /v1/units/{code}/office-hours": _same(
        week=[{"days": [1, 2], "opens": "08:00", "closes": "12:00"}], exceptions=[{"date": "2026-10-10"}]
    ),
    "visit_api POST /v1/measures": _measure,
    "visit_api POST /v1/measures/{id}/change": _same(due_on="2026-10-30", reason="缺货"),
    "visit_api POST /v1/measures/{id}/done": _same(words="已配发"),
    "visit_api POST /v1/measures/{id}/verify": _same(words="抽查合格"),
    "visit_api POST /v1/measures/{id}/send-back": _same(words="无人接听"),
    "visit_api POST /v1/visits/{id}/hand-over": _handed,
    "visit_api POST /v1/sync/push": _brought,
    "visit_api POST /v1/sync/conflicts/{id}/resolve": _same(keep="device", reason="以现场为准"),
    "visit_api POST /v1/sync/suspicions/{id}/merge": _merging,
    "visit_api POST /v1/sync/suspicions/{id}/different": _same(reason="上下午各一次"),
    "visit_api POST /v1/visits/{id}/appointment": _appointment,
    "visit_api POST /v1/visits/{id}/appointment/refuse": _just_now(reason="近期停产"),
    "visit_api POST /v1/visits/{id}/appointment/cancel": _just_now(reason="抢修"),
    "visit_api POST /v1/visits/{id}/arrive": _just_now(place={"latitude": 36.6, "longitude": 117.1}, consented=True),
    "visit_api POST /v1/visits/{id}/start": _just_now(),
    "visit_api POST /v1/visits/{id}/complete": _just_now(),
    "visit_api POST /v1/visits/{id}/cancel": _just_now(reason="客户改期"),
    "visit_api POST /v1/visits/{id}/miss": _just_now(reason="客户不在"),
    "visit_api POST /v1/visits/{id}/archive": _same(),
    "visit_api POST /v1/visits/{id}/appeals": _raised,
    "visit_api POST /v1/visits/{id}/steps": _just_now(content=NEEDS),
    "visit_api POST /v1/materials": _material,
    "visit_api POST /v1/online/accounts": _service_account,
    "visit_api PATCH /v1/online/accounts/{id}": _same(post="客户经理"),
    "visit_api POST /v1/online/groups": _service_group,
    "visit_api PATCH /v1/online/groups/{id}": _same(name="园区用电服务二群"),
    "visit_api POST /v1/online/groups/{id}/join": _joining,
    "visit_api POST /v1/online/groups/{id}/leave": _leaving,
    "visit_api POST /v1/online/groups/{id}/inquiries": _asked,
    "visit_api POST /v1/online/inquiries/{id}/answer": _just_now(answer="今日 18 时前送电"),
    "visit_api POST /v1/online/posts": _post,
    "visit_api POST /v1/online/posts/{id}/return": _same(reason="电价有误"),
    "visit_api POST /v1/materials/{id}/withdraw": _same(reason="政策调整"),
    "visit_api PUT /v1/customers/{id}/profile": _same(industry="C", traits=["time_of_use"]),
    "visit_api POST /v1/visits/{id}/checklist": _just_now(answers=[{"item": "on_site.kit", "answer": "yes"}]),
    "visit_api POST /v1/visits/{id}/gaps": _same(clause="8.2.2", what="conduct.answered", reason="设备故障"),
    "visit_api POST /v1/visits/{id}/supplements": _same(),
    "visit_api POST /v1/archive/{visit_id}/hold": _same(reason="涉诉保全"),
    "visit_api POST /v1/archive/{visit_id}/release": _same(reason="案件已结"),
    "visit_api POST /v1/units/{code}/archive-rules": _same(
        strict=False, reason="年度要求", effective_from="2027-01-01"
    ),
    "visit_api POST /v1/visits/{id}/attachments": _file,
    "visit_api PUT /v1/attachments/{id}/parts/{number}": _picture,
    "visit_api POST /v1/attachments/{id}/give-up": _same(reason="选错文件"),
    "visit_api POST /v1/customers/import": _export,
    "visit_api POST /v1/units/import": _export_of_units,
    "visit_api POST /v1/staff/import": _export_of_staff,
    "appeal_tracker POST /v1/recalculations": _recalculation,
    "appeal_tracker POST /v1/appeals": _posted,
    "appeal_tracker POST /v1/absences": _absence,
    "appeal_tracker POST /v1/absences/{id}/end": _back,
    "appeal_tracker PUT /v1/code-tables/{source}": _same(types={"0701": "complaint"}, categories={"T1": "attitude"}),
    "appeal_tracker POST /v1/calendars/{calendar}/versions": _same(
        extends="cn-statutory", papers=["青政发〔2026〕1号"], days=[_STOP_WORK]
    ),
    "appeal_tracker PUT /v1/units/{code}/policy": _same(policy="state-grid", calendar="cn-statutory"),
    "appeal_tracker POST /v1/policies": _pack,
    "appeal_tracker POST /v1/policies/{policy}/withdraw": _same(reason="由新标准取代"),
    "appeal_tracker POST /v1/deadline-calculations": _case,
    "appeal_tracker POST /v1/invariants": _same(),
    "appeal_tracker POST /v1/simulations": _past,
    "appeal_tracker POST /v1/appeals/{id}/contacts": _just_now(
        channel="phone", result="reached", evidence="录音 17", note="约定上门"
    ),
    "appeal_tracker POST /v1/appeals/{id}/answers": _just_now(content="已处理", finding="substantiated"),
    "appeal_tracker POST /v1/appeals/{id}/callbacks": _just_now(result="completed", satisfaction=5),
    "appeal_tracker POST /v1/appeals/{id}/callback-links": _same(days=14),
    "appeal_tracker POST /v1/appeals/{id}/callback-links/for-send": _same(send_id=str(uuid4())),
    "appeal_tracker POST /v1/callback-tasks/{id}/schedule": _call_later,
    "appeal_tracker POST /v1/callback-tasks/{id}/complete": _same(note="已上门说明"),
    "appeal_tracker POST /v1/appeals/{id}/milestones": _just_now(milestone="site_survey", note="已到现场"),
    "appeal_tracker POST /v1/appeals/{id}/accept": _same(category="attitude", note="受理"),
    "appeal_tracker POST /v1/appeals/{id}/dispatch": _same(handler="H001", note="请核实"),
    "appeal_tracker POST /v1/appeals/{id}/close": _same(note="客户认可"),
    "appeal_tracker POST /v1/appeals/{id}/transfer": _same(handler="H002", reason="轮岗"),
    "appeal_tracker POST /v1/appeals/{id}/hold": _just_now(
        reason="等待客户材料", milestones=["answer"], note="电话约定"
    ),
    "appeal_tracker POST /v1/appeals/{id}/resume": _just_now(note="材料已到"),
    "appeal_tracker POST /v1/appeals/{id}/merge": _merge,
    "appeal_tracker POST /v1/appeals/{id}/unmerge": _same(note="并非同一事由"),
    "appeal_tracker POST /v1/appeals/{id}/reopen": _same(reason="客户再次反映"),
    "appeal_tracker POST /v1/appeals/{id}/return": _same(reason="不属本单位管辖"),
    "appeal_tracker POST /v1/appeals/{id}/urge": _same(by_customer=True, note="客户来电催办"),
    "appeal_tracker POST /v1/appeals/{id}/supervise": _report,
    "appeal_tracker POST /v1/appeals/{id}/finding": _same(finding="substantiated", note="现场核实"),
    "appeal_tracker POST /v1/appeals/{id}/reclassify": _same(type="complaint", reason="客户明确表示投诉"),
    "appeal_tracker POST /v1/appeals/{id}/correct": _same(category="attitude", reason="录音核对"),
    "appeal_tracker POST /v1/appeals/{id}/withdraw": _just_now(channel="phone", note="客户来电撤回"),
    "appeal_tracker POST /v1/appeals/{id}/void": _same(reason="重复登记"),
    "notifier POST /v1/routes": _route,
    "notifier PUT /v1/routes/{id}": _same(channels=["mailbox"]),
    "notifier POST /v1/routes/preview": _imagined,
    "notifier POST /v1/groups": _group,
    "notifier PUT /v1/groups/{id}": _members,
    "notifier POST /v1/duties": _duty,
    "notifier PUT /v1/duties/{id}": _turn,
    "notifier POST /v1/substitutes": _substitute,
    "notifier PUT /v1/substitutes/{id}": _stand_in,
    "notifier PUT /v1/quiet-hours/{id}": _same(begin="20:00", until="08:00"),
    "notifier POST /v1/templates": _same(**_TEXT),
    "notifier POST /v1/templates/preview": _same(**_TEXT),
}


async def _webhook(house: House) -> Json:
    new = {"unit_code": house.ours, "event_types": ["deadline.breached.v1"], "description": "营销系统"}
    return {**new, "url": "https://hooks.example.com/in", "secret": f"whsec_{'QUJD' * 8}", "ordered": True}


async def _account(house: House) -> Json:
    new = {"provider": "gateway", "unit_code": house.ours, "name": "短信", "active": False}
    limit = {"times": 10, "seconds": 1, "per": "account"}
    settings = {"url": "https://sms.example.com/", "fields": {"to": "$phone", "say": "$text"}}
    return {**new, "settings": settings, "secrets": {"secret": "钥"}, "limits": [limit]}


BODIES |= {
    "notifier POST /v1/accounts": _account,
    "notifier PATCH /v1/accounts/{id}": _same(name="改名", limits=[]),
    "notifier POST /v1/deliveries/retry": _same(
        since="2026-10-01T00:00:00Z", until="2026-11-01T00:00:00Z", states=["dead"], dry_run=True
    ),
    "notifier POST /v1/webhooks": _webhook,
    "notifier PATCH /v1/webhooks/{id}": _same(event_types=["deadline.breached.v1"], active=True),
    "notifier POST /v1/webhooks/{id}/rotate": _same(secret=f"whsec_{'REVG' * 8}", both_for_hours=24),
    "notifier POST /v1/webhooks/{id}/replay": _same(
        since="2026-10-01T00:00:00Z", until="2026-11-01T00:00:00Z", states=["dead"], dry_run=True
    ),
}


async def thing(place: Place, house: House) -> str:
    """A new thing of `ours`, or a common one, for a right call of `place`; no name where it needs none."""
    if place.thing is None:
        return ""
    common = COMMON.get(place.thing)
    return common if isinstance(common, str) and place.name not in STATES else await _maker(place)(house)


async def standing(place: Place, house: House) -> str:
    """The same, made once for all calls that will not change it."""
    if place.thing is None or place.thing in COMMON:
        return await thing(place, house)
    make = _maker(place)
    if make not in house.standing:
        house.standing[make] = await make(house)
    return house.standing[make]


async def body(place: Place, house: House) -> Any:
    """A right body for `place`."""
    assert place.name in BODIES, f"tests/contract/right.py has no body for {place.name}"
    return await BODIES[place.name](house)


def _maker(place: Place) -> Make:
    make = STATES.get(place.name) or THINGS.get(str(place.thing)) or COMMON.get(str(place.thing))
    assert callable(make), f"tests/contract/right.py names no thing for {place.name}"
    return make


def nobodys(name: str) -> str:
    """What could be in the place of `name` and is not there."""
    try:
        UUID(name)
    except ValueError:
        return f"{name}-none"
    return str(uuid4())

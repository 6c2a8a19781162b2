"""The story: a complaint on a Friday, a Saturday that is a working day, a night, a broken promise, a good end."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deploy.local.demo.provider import Provider
from deploy.local.demo.stage import Stage
from deploy.local.errors import Refused

RAISED = datetime.fromisoformat("2026-10-09T16:00:00+08:00")
PARENT, UNIT = "374", "37401"
VISITOR, HANDLER, SUPERVISOR, PARENT_SUPERVISOR = "S101", "S102", "S110", "S900"
ANSWER_DUE = datetime.fromisoformat("2026-10-20T00:00:00+08:00")  # 24:00 of 10-19

SECRET = "whsec_" + base64.b64encode(b"a secret of the demo alone").decode()

Say = Callable[[str, str], None]


@dataclass
class Story:
    """Each scene is a method that acts, waits for what must follow, and tells it; `scenes` gives their order."""

    stage: Stage
    say: Say
    outside: Provider  # an SMS gateway, and a system of the company that listens for what is broken
    visit: str = ""
    appeal: dict[str, Any] = field(default_factory=dict)

    def scenes(self) -> Iterator[Callable[[], None]]:
        yield from (self.people, self.complaint, self.first_warning, self.breach, self.escalation)
        yield from (self.late_contact, self.half_time, self.answer, self.link, self.callback, self.archive)

    def people(self) -> None:
        admin = {"role": "admin", "unit": PARENT}
        self._visit_api("POST", "/units", {"code": PARENT, "name": "山东省电力公司"}, **admin)
        self._visit_api("POST", "/units", {"code": UNIT, "name": "济南供电公司", "parent_code": PARENT}, **admin)
        staff = [(VISITOR, "李走访", UNIT, "visitor"), (HANDLER, "王处理", UNIT, "handler")]
        staff += [(SUPERVISOR, "赵主管", UNIT, "supervisor"), (PARENT_SUPERVISOR, "钱总监", PARENT, "supervisor")]
        for number, name, unit, role in staff:
            body = {
                "staff_no": number,
                "name": name,
                "unit_code": unit,
                "roles": [role],
                "phone": f"1380000{number[1:]}0",
            }
            self._visit_api("POST", "/staff", body, **admin)
        customer = {
            "name": "泉城纺织有限公司",
            "kind": "other.important",
            "unit_code": UNIT,
            "customer_no": "0000123456",
        }
        made = self._visit_api("POST", "/customers", customer, **admin)
        person = {
            "name": "孙经理",
            "role": "principal",
            "phone": "13900000001",
            "consent": "given",
            "channels": ["sms"],
        }
        self._visit_api("POST", f"/customers/{made['id']}/contacts", person, **admin)
        plan = {"customer_id": made["id"], "channel": "on_site", "scheduled_at": RAISED.isoformat()}
        planned = self._visit_api("POST", "/visits", plan, **self._visitor)
        self.visit = planned["id"]
        self._visit_api("POST", f"/visits/{self.visit}/start", {}, **self._visitor)
        self.stage.until("the notifier knows the unit", self._subscribe)
        self._route_by_sms()
        self.say("单位、人员、用户就绪，走访开始", "units, staff and a customer are there; the visit has begun")

    def complaint(self) -> None:
        self.stage.jump(RAISED + timedelta(minutes=1))
        words = {"type": "complaint", "summary": "一周内三次停电，无人解释", "received_at": RAISED.isoformat()}
        raised = self._visit_api("POST", f"/visits/{self.visit}/appeals", words, **self._visitor)
        self._visit_api("POST", f"/visits/{self.visit}/complete", {}, **self._visitor)
        self.appeal = {"id": raised["id"]}
        self.appeal = self.stage.until("the tracker opens the appeal", self._look_up)
        due = {clock["milestone"]: _local(clock["due_at"]) for clock in self.appeal["clocks"]}
        if due["answer"] != ANSWER_DUE:
            raise Refused(f"The answer is due {due['answer']}, not {ANSWER_DUE}: 10-10 is a working Saturday.")
        number, contact = self.appeal["appeal_no"], _hm(due["contact"])
        self.say(
            f"投诉 {number}：{contact} 前联系，7 个工作日内答复（10-19 24:00，10-10 周六上班）",
            "a complaint: contact due in 24 hours, answer due 10-19 24:00, the 7th working day (Saturday 10-10 works)",
        )

    def first_warning(self) -> None:
        night = RAISED + timedelta(hours=12)
        self.stage.jump(night)
        held = self._delivery("deadline.warned", "deferred", milestone="contact")
        morning = _local(held["not_before"])
        self.say(
            f"凌晨 {_hm(night)} 到达时限一半，21:00–08:00 不打扰：消息推迟到 {_hm(morning)}",
            f"half of the 24 hours is over at {_hm(night)}; nobody is woken: deferred to {_hm(morning)}",
        )
        self._act("urge", {"by_customer": True}, SUPERVISOR, "supervisor")
        urged = self._delivery("appeal.urged", "deferred", milestone=None, recipient=held["recipient"])
        self.stage.jump(morning)
        sent = self.stage.until("the deferred message goes", lambda: self._same(held, {"sent", "delivered"}))
        together = self.stage.until("the other one goes", lambda: self._same(urged, {"sent", "delivered"}))
        if sent["send_id"] != together["send_id"]:
            raise Refused("What waited for one person did not leave as one message.")
        self.say(
            f"早上 {_hm(_local(sent['sent_at']))}，夜间的提醒与催办合并为一条，送达 {sent['recipient']}",
            "in the morning the warning, and an urging of the night, leave as one message",
        )

    def breach(self) -> None:
        self.outside.faults = lambda request: "410" if request.path == "/sms" else "ok"
        self.stage.jump(RAISED + timedelta(hours=24))
        told = self._delivery("deadline.breached", "delivered", milestone="contact", recipient=SUPERVISOR)
        self.say(
            f"24 小时内未联系用户：违约，通知主管 {told['recipient']}",
            "nobody contacted the customer in 24 hours: the promise is broken, the unit's supervisor is told",
        )
        if told["why"] != "fallback_of:sms":
            raise Refused(f"The text message was refused, but {told['recipient']} is told for another reason.")
        self.say(
            "短信网关拒收，按路由改走站内信",
            "the SMS gateway refuses the message: it goes by the next channel of its route",
        )
        its = self.stage.until("the integrator hears of it", self._heard)
        self.say(
            f"集成系统同时收到签名的 webhook：{its['type']}",
            "a system of the company hears of it too, by a signed webhook",
        )

    def escalation(self) -> None:
        self.stage.jump(RAISED + timedelta(hours=26))
        told = self._delivery("deadline.escalated", "delivered", milestone="contact", recipient=PARENT_SUPERVISOR)
        self.say(
            f"再过两小时仍未联系：升级到上级单位 {told['recipient']}",
            "two hours later it goes up: the parent unit's supervisor is told",
        )

    def late_contact(self) -> None:
        self._act("contacts", {"at": self._now(), "channel": "phone", "result": "reached"}, HANDLER, "handler")
        self.say("处理人员联系了用户（违约记录保留）", "the handler reaches the customer; the breach stays on record")

    def half_time(self) -> None:
        noon = datetime.fromisoformat("2026-10-14T12:00:00+08:00")
        self.stage.jump(noon)
        self._delivery("deadline.warned", "delivered", milestone="answer")
        self.say(
            "答复时限过半（第 4 个工作日中午），提醒责任人",
            "half of the 7 working days is over at noon of the 4th: the owner is reminded",
        )

    def answer(self) -> None:
        self.stage.jump(datetime.fromisoformat("2026-10-15T10:00:00+08:00"))
        self._act("answers", {"at": self._now(), "content": "更换老化开关，已恢复可靠供电"}, HANDLER, "handler")
        states = {clock["milestone"]: clock["state"] for clock in (self._look_up() or {})["clocks"]}
        if states["answer"] != "met":
            raise Refused(f"The answer came in time, but its clock is {states['answer']}.")
        self.say("在时限内答复用户", "the customer is answered in time")

    def link(self) -> None:
        self.outside.faults = lambda request: "ok"
        self.stage.jump(datetime.fromisoformat("2026-10-16T09:30:00+08:00"))
        self._act("callback-tasks", {}, SUPERVISOR, "supervisor")
        url = self.stage.until("the customer is sent a link", self._linked)
        page = self.stage.open(url)
        if "满意" not in page:
            raise Refused("The customer's page does not ask what they think.")
        self.stage.open(url, {"satisfaction": "4", "opinion": "处理及时，希望提前通知停电"})
        self.say(
            "短信请用户评价，用户点开一次性链接，一点即评",
            "a text message brings the customer a link that works once; one tap is the answer",
        )

    def callback(self) -> None:
        called = self._tracker("GET", f"/appeals/{self.appeal['id']}/callbacks")["items"]
        if [(its["channel"], its["satisfaction"]) for its in called] != [("link", 4)]:
            raise Refused(f"The customer gave a 4 by the link, but recorded is {called}.")
        self._act("close", {}, SUPERVISOR, "supervisor")
        self.say("回访完成，满意度 4，诉求办结", "called back, satisfaction 4 of 5, the appeal is closed")

    def archive(self) -> None:
        def try_to() -> Any:
            try:
                return self._visit_api("POST", f"/visits/{self.visit}/archive", {}, **self._visitor)
            except Refused:
                return None  # visit_api has not heard of the closing yet

        self.stage.until("the visit can be archived", try_to)
        timeline = self._tracker("GET", f"/appeals/{self.appeal['id']}/timeline")["items"]
        messages = self._deliveries()
        self.say(
            f"走访归档：诉求时间线 {len(timeline)} 条，消息 {len(messages)} 条",
            f"the visit is archived; {len(timeline)} facts in the appeal's timeline, {len(messages)} messages",
        )

    def _subscribe(self) -> Any:
        new = {"unit_code": UNIT, "url": f"{self.outside.url}/hook", "event_types": ["deadline.breached.v1"]}
        new["secret"] = SECRET
        try:
            return self.stage.call("notifier", "POST", "/webhooks", new, role="integration", unit=UNIT)
        except Refused:
            return None  # it has not heard of the unit yet

    def _route_by_sms(self) -> None:
        """Breaches are told by text message, and in the mailbox where that does not arrive; customers are asked what
        they think."""
        fields = {"id": "$id", "phone": "$phone", "text": "$text"}
        gateway = {"url": f"{self.outside.url}/sms", "fields": fields, "ok_field": "code", "ok_value": "0"}
        account = {"provider": "gateway", "unit_code": UNIT, "name": "短信网关", "settings": gateway, "secrets": {}}
        by_sms = {"unit_code": UNIT, "channels": ["sms"]}
        breach = {"event_type": "deadline.breached", "audience": "unit_supervisors", "fallback": ["mailbox"]}
        customer = {"event_type": "appeal.callback_asked", "audience": "customer"}
        for path, body in (
            ("/accounts", account),
            ("/routes", {**by_sms, **breach, "fallback_after": 0}),
            ("/routes", {**by_sms, **customer}),
        ):
            self.stage.call("notifier", "POST", path, body, role="admin", unit=UNIT)

    def _linked(self) -> str | None:
        texts = [its.text for its in list(self.outside.taken) if its.kind == "gateway"]
        return next((found[0] for text in texts if (found := re.search(r"http://\S+/c/[\w-]{43}", text))), None)

    def _heard(self) -> Any:
        told = [json.loads(its.text) for its in list(self.outside.taken) if its.kind == "webhook"]
        return next((its for its in told if its["subject"] == self.appeal["id"]), None)

    @property
    def _visitor(self) -> dict[str, str]:
        return {"role": "visitor", "unit": UNIT, "staff": VISITOR}

    def _visit_api(self, method: str, path: str, body: Any = None, **who: str) -> Any:
        return self.stage.call("visit_api", method, path, body, **who)

    def _tracker(self, method: str, path: str, body: Any = None) -> Any:
        return self.stage.call("appeal_tracker", method, path, body, role="supervisor", unit=UNIT, staff=SUPERVISOR)

    def _act(self, what: str, body: Any, staff: str, role: str) -> Any:
        path = f"/appeals/{self.appeal['id']}/{what}"
        return self.stage.call("appeal_tracker", "POST", path, body, role=role, unit=UNIT, staff=staff)

    def _look_up(self) -> Any:
        try:
            return self._tracker("GET", f"/appeals/{self.appeal['id']}")
        except Refused:
            return None  # not heard of yet

    def _deliveries(self) -> list[dict[str, Any]]:
        path = f"/deliveries?appeal_id={self.appeal['id']}&limit=200"
        answer = self.stage.call("notifier", "GET", path, role="supervisor", unit=PARENT, staff=PARENT_SUPERVISOR)
        found: list[dict[str, Any]] = answer["items"]
        return found

    def _delivery(
        self, event_type: str, state: str, milestone: str | None, recipient: str | None = None
    ) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            for delivery in self._deliveries():
                reached = delivery["state"] == state or (state == "delivered" and delivery["state"] == "sent")
                meant = (delivery["event_type"], delivery["milestone"]) == (event_type, milestone)
                if meant and reached and recipient in (None, delivery["recipient"]):
                    return delivery
            return None

        return self.stage.until(f"a delivery of {event_type} ({milestone}) is {state}", look)

    def _same(self, delivery: dict[str, Any], states: set[str]) -> dict[str, Any] | None:
        found = next(d for d in self._deliveries() if d["id"] == delivery["id"])
        return found if found["state"] in states else None

    def _now(self) -> str:
        return self.stage.now().isoformat()


def _local(instant: str) -> datetime:
    return datetime.fromisoformat(instant).astimezone(RAISED.tzinfo)


def _hm(at: datetime) -> str:
    return f"{at:%m-%d %H:%M}"

"""A power company with two units that know nothing of each other, and what there is to know of the first.

    top ── ours ── below          elsewhere
      └─── beside

All things belong to `ours`. Every text in them holds `secret`, and every id is kept in `marks`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from appeal_tracker.calendars.civil import CHINA
from tests.support.databases import SERVICES
from tests.support.samples import png
from tests.support.stack import Stack

_numbers = count(1)
# Whoever writes a row, also one as it was, is a later transaction than all that wrote before.
_FINGERPRINT = """
SELECT coalesce(string_agg(format('SELECT %L, count(*), sum(xmin::text::bigint) FROM %I', tablename, tablename),
                           ' UNION ALL '), 'SELECT 1')
FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""

Json = dict[str, Any]

# How many are made at once of what others must hear of, by who makes one: to hear of many takes no longer than of one.
STOCK = {
    "unit": 6,
    "member": 2,
    "visit": 2,
    "import": 1,
    "appeal": 6,
    "pair": 2,
    "customer": 2,
    "report": 3,
    "asked": 1,
}

# A step of a visit.
NEEDS: Json = {"kind": "needs", "needs": [{"category": "connection", "description": "增容"}]}


class House:
    """The company, founded through the public API; each has units, people and things of its own."""

    def __init__(self, stack: Stack, stock: Mapping[str, int] = STOCK) -> None:
        number = next(_numbers)
        self.stack = stack
        self.top, self.elsewhere = f"T{number}", f"E{number}"
        self.ours, self.below, self.beside = f"T{number}-1", f"T{number}-1-1", f"T{number}-2"
        self.secret = f"绝密{number}事"
        self.picture = png(text=self.secret)
        self.staff_no = ""  # of a visitor
        self.marks = {self.secret}
        self.twin = ""  # the last appeal that was raised together with another
        self.twin_visit = ""  # the last visit that a device brought, of which there was one already
        self.member_account = ""  # the last account that joined a group
        self.standing: dict[object, str] = {}  # things that no test changes, by what makes them
        self._most = stock
        self._stock: dict[str, list[str]] = {kind: [] for kind in stock}  # all of which every service has heard of
        self._timed = False  # whether our reports go by a pack of our own
        self._prints: tuple[str, dict[str, list[Any]]] = ("", {})  # the last fingerprint, and when it was taken

    @property
    def strangers(self) -> tuple[str, ...]:
        """The units whose people must not see what is `ours`."""
        return self.below, self.beside, self.elsewhere

    async def found(self) -> None:
        """Makes the units, and a visitor; nobody supervises `ours` or stands above it."""
        admins = {unit: self.client("visit_api", "admin", unit=unit) for unit in (self.top, self.elsewhere)}
        for unit, parent in (
            (self.top, None),
            (self.ours, self.top),
            (self.below, self.ours),
            (self.beside, self.top),
            (self.elsewhere, None),
        ):
            new = {"code": unit, "name": "单位", **({"parent_code": parent} if parent else {})}
            await done(admins[self.elsewhere if unit == self.elsewhere else self.top].post("/units", json=new))
        self.staff_no = await self.member()
        await self.stack.settle()

    def client(self, service: str, *roles: str, unit: str | None) -> httpx.AsyncClient:
        """Somebody in a unit, whose number no member of staff has."""
        return self.stack.client(service, *roles, unit=unit, sub=f"{'-'.join(roles)}@{unit}")

    def admin(self, service: str) -> httpx.AsyncClient:
        """Who may do everything with what is ours, and belongs to a top-level unit."""
        return self.client(service, "admin", unit=self.top)

    def owner(self, service: str, roles: frozenset[str], unit: str) -> httpx.AsyncClient:
        """Somebody in `unit` who may call a route for `roles`."""
        return self.client(service, "admin" if "admin" in roles else min(roles), unit=unit)

    async def _heard(self, kind: str) -> str:
        """One of the stock; all that has run out is made again, to be heard of together."""
        if not self._stock[kind]:
            makers = {
                "unit": self._new_unit,
                "member": self.member,
                "visit": self.visit,
                "import": self._sent,
                "appeal": self._told_of,
                "pair": self._pair,
                "customer": self._at_risk,
                "report": self._report,
                "asked": self._question,
            }
            for each, count in self._most.items():
                if not self._stock[each]:
                    self._stock[each] = [await makers[each]() for _ in range(count)]
            await self.stack.settle()
        return self._stock[kind].pop()

    async def unit(self) -> str:
        """A unit below ours."""
        return await self._heard("unit")

    async def _new_unit(self) -> str:
        new = {"code": f"绝密单位{uuid4().hex[:8]}", "name": self.secret, "parent_code": self.ours}
        unit = await done(self.admin("visit_api").post("/units", json=new))
        self.marks |= {unit["id"], unit["code"]}
        return str(unit["code"])

    async def member(self) -> str:
        """A member of staff."""
        new = {
            "staff_no": f"绝密人员{uuid4().hex[:8]}",
            "name": self.secret,
            "unit_code": self.ours,
            "roles": ["visitor"],
        }
        member = await done(self.admin("visit_api").post("/staff", json={**new, "phone": "13800000000"}))
        self.marks |= {member["id"], member["staff_no"]}
        return str(member["staff_no"])

    async def customer(self) -> str:
        new = {"name": self.secret, "kind": "government", "unit_code": self.ours, "customer_no": self.secret}
        return self._marked(await done(self.admin("visit_api").post("/customers", json=new)))

    async def imported(self) -> str:
        """A file of customers, read; one of its lines was not taken."""
        return await self._heard("import")

    async def _sent(self) -> str:
        sender = self.client("visit_api", "integration", unit=self.ours)
        return self._marked(await done(sender.post("/customers/import", content=self.export())))

    def export(self) -> bytes:
        """A file as a marketing system makes it."""
        good, bad = f"{uuid4().hex},{self.secret},{self.ours}", f",{self.secret},{self.ours}"
        return f"CONS_NO,CONS_NAME,ORG_NO\n{good}\n{bad}\n".encode()

    async def contact(self) -> str:
        """Somebody to speak to."""
        new = {
            "name": self.secret,
            "role": "principal",
            "phone": "13812340000",
            "consent": "given",
            "channels": ["sms"],
        }
        return self._marked(
            await done(self.admin("visit_api").post(f"/customers/{await self.customer()}/contacts", json=new))
        )

    async def opened_contact(self) -> str:
        """The same, opened for a reason: a line in the trail."""
        contact = await self.contact()
        ours = self.client("visit_api", "visitor", unit=self.ours)
        await done(ours.get(f"/contacts/{contact}/full", params={"reason": self.secret}))
        return contact

    async def risk_suggestion(self) -> str:
        """That a customer may be at risk, who complained twice."""
        query = {"state": "open", "customer_id": await self._heard("customer")}
        found = await done(self.admin("visit_api").get("/risk-suggestions", params=query))
        return self._marked(found["items"][-1])

    async def _at_risk(self) -> str:
        customer = await self.customer()
        visit = await self.visit(customer)
        for minutes in (5, 4):
            await self._raise(visit, received_at=self.ago(minutes=minutes))
        return customer

    async def importance_document(self) -> str:
        """A document that names a customer important, brought by ourselves."""
        said = {"government_body": self.secret, "document_no": self.secret, "determined_on": "2026-09-30"}
        items = [{"customer_id": await self.customer(), "level": "first"}]
        ours = self.client("visit_api", "supervisor", unit=self.ours)
        return self._marked(await done(ours.post("/importance-documents", json={**said, "items": items})))

    async def visit(self, customer: str | None = None) -> str:
        """A planned visit."""
        new = {
            "customer_id": customer or await self.customer(),
            "channel": "on_site",
            "scheduled_at": self.ago(hours=1),
            "visitor_ids": [self.staff_no],
        }
        return self._marked(await done(self.admin("visit_api").post("/visits", json=new)))

    async def appointed(self) -> str:
        """A planned visit that the customer agreed to."""
        window = {"window_from": self.ago(hours=-1), "window_to": self.ago(hours=-2)}
        visit = await self.visit()
        agreed = {"purpose": self.secret, "place": self.secret, **window}
        await done(self.admin("visit_api").post(f"/visits/{visit}/appointment", json=agreed))
        return visit

    async def plan(self) -> str:
        """A plan of a unit below ours."""
        new = {"unit_code": await self.unit(), "period": "2026-10"}
        return self._marked(await done(self.admin("visit_api").post("/plans", json=new)))

    async def wanted(self) -> str:
        """A visit that a plan wants."""
        new = {"customer_id": await self.customer(), "channel": "on_site", "due_by": "2026-10-31"}
        path = f"/plans/{await self.plan()}/items"
        return self._marked(await done(self.admin("visit_api").post(path, json={**new, "reason": self.secret})))

    async def owed(self) -> str:
        """A missed call in the course of a visit, which is to be returned."""
        visit = await done(self.admin("visit_api").get(f"/visits/{await self.visit()}"))
        its = {
            "customer_id": visit["customer_id"],
            "visit_id": visit["id"],
            "owner": self.staff_no,
            "note": self.secret,
        }
        new = {"kind": "missed_call", "called_at": self.ago(minutes=9), **its}
        return self._marked(await done(self.admin("visit_api").post("/obligations", json=new)))

    def new_measure(self) -> Json:
        """Something found, and what is to be done about it."""
        new = {"unit_code": self.ours, "finding": self.secret, "measure": self.secret, "owner": self.staff_no}
        return {**new, "figure": "satisfaction", "due_on": "2026-10-31"}

    async def measure(self) -> str:
        """The same, found in an appeal on a visit."""
        visit = await self.visit()
        appeal = await self._raise(visit, received_at=self.ago(minutes=5))
        new = {**self.new_measure(), "visit_id": visit, "appeal_id": appeal}
        return self._marked(await done(self.admin("visit_api").post("/measures", json=new)))

    async def measure_done(self) -> str:
        """The same, done by its owner."""
        measure = await self.measure()
        visitor = self.stack.client("visit_api", "visitor", unit=self.ours, sub=self.staff_no)
        await done(visitor.post(f"/measures/{measure}/done", json={"words": self.secret}))
        return measure

    async def decided(self) -> str:
        """A unit that decided something for itself."""
        unit = await self.unit()
        path, hours = f"/units/{unit}/office-hours", {"week": []}
        await done(self.admin("visit_api").put(path, json=hours, headers={"If-Match": "*"}))
        return unit

    async def arrived(self) -> str:
        """A visit whose visitors are there."""
        visit, here = await self.visit(), {"latitude": 36.6, "longitude": 117.1}
        path, its = f"/visits/{visit}/arrive", {"place": here, "consented": True}
        await done(self.admin("visit_api").post(path, json=its))
        return visit

    async def followed(self) -> str:
        """A planned visit that the tracker has heard of."""
        return await self._heard("visit")

    async def step(self) -> str:
        """What was recorded on a visit."""
        path = f"/visits/{await self.started()}/steps"
        return self._marked(await done(self.admin("visit_api").post(path, json={"content": NEEDS})))

    def new_material(self) -> Json:
        """A policy material for everybody, to be drafted."""
        days = {"valid_from": "2026-10-01", "valid_to": "2026-12-31"}
        return {"unit_code": self.ours, "title": self.secret, "topic": "prices", "summary": self.secret, **days}

    async def material(self) -> str:
        """The same, drafted."""
        return self._marked(await done(self.admin("visit_api").post("/materials", json=self.new_material())))

    async def published(self) -> str:
        """The same, published; those below may read it."""
        material = await self.material()
        await done(self.admin("visit_api").post(f"/materials/{material}/publish"))
        return material

    def new_service_account(self) -> Json:
        """An account of the visitor, to be registered."""
        return {"staff_no": self.staff_no, "platform": "wechat", "handle": f"v{uuid4().hex[:12]}", "post": "客户经理"}

    async def service_account(self) -> str:
        """The same, registered."""
        new = self.new_service_account()
        return self._marked(await done(self.admin("visit_api").post("/online/accounts", json=new)))

    def new_service_group(self) -> Json:
        """A group, to be made known."""
        return {"unit_code": self.ours, "platform": "wechat", "name": self.secret}

    async def service_group(self, **fields: Any) -> str:
        new = {**self.new_service_group(), **fields}
        return self._marked(await done(self.admin("visit_api").post("/online/groups", json=new)))

    async def joined(self) -> str:
        """A group that `member_account` joined."""
        group, self.member_account = await self.service_group(), await self.service_account()
        joining = {"account_id": self.member_account, "at": self.ago(minutes=5)}
        await done(self.admin("visit_api").post(f"/online/groups/{group}/join", json=joining))
        return group

    async def inquiry(self) -> str:
        """What was asked in a group, and is not answered."""
        new = {"question": self.secret, "received_at": self.ago(minutes=5)}
        path = f"/online/groups/{await self.joined()}/inquiries"
        return self._marked(await done(self.admin("visit_api").post(path, json=new)))

    def new_post(self) -> Json:
        """A policy post, to be drafted."""
        return {"unit_code": self.ours, "title": self.secret, "text": self.secret}

    async def post(self) -> str:
        return self._marked(await done(self.admin("visit_api").post("/online/posts", json=self.new_post())))

    async def submitted(self) -> str:
        """A post that somebody else wrote and submitted."""
        visitor = self.stack.client("visit_api", "visitor", unit=self.ours, sub=self.staff_no)
        post = self._marked(await done(visitor.post("/online/posts", json=self.new_post())))
        await done(visitor.post(f"/online/posts/{post}/submit"))
        return post

    async def approved(self) -> str:
        post = await self.submitted()
        await done(self.admin("visit_api").post(f"/online/posts/{post}/approve"))
        return post

    async def published_post(self) -> str:
        """A post that was published."""
        post = await self.approved()
        await done(self.admin("visit_api").post(f"/online/posts/{post}/publish"))
        return post

    async def started(self) -> str:
        return await self._after(await self.visit(), "start")

    async def completed(self) -> str:
        return await self._after(await self.started(), "complete")

    async def archived(self) -> str:
        return await self._after(await self.completed(), "archive")

    async def archived_with_its_appeal(self) -> str:
        """An archived visit on which a complaint was raised, and handled."""
        visit = await self.completed()
        appeal = await self._raise(visit, received_at=self.ago(minutes=5))
        await self.stack.settle()
        answer = {"at": self.ago(minutes=1), "content": self.secret}
        await done(self.admin("appeal_tracker").post(f"/appeals/{appeal}/answers", json=answer))
        await self._appeal_after(appeal, "close")
        await self.stack.settle()
        return await self._after(visit, "archive")

    async def archived_before_its_photo(self) -> str:
        """An archived visit of which a photo came late."""
        visit = await self.archived()
        attachment = await self.uploaded(visit)
        await done(self.admin("visit_api").post(f"/attachments/{attachment}/complete"))
        return visit

    async def kept_for_the_law(self) -> str:
        """An archived visit under a legal hold."""
        visit = await self.archived()
        await done(self.admin("visit_api").post(f"/archive/{visit}/hold", json={"reason": self.secret}))
        return visit

    async def declared(self, visit: str | None = None) -> str:
        """A photo of which nothing has arrived yet."""
        digest = hashlib.sha256(self.picture).hexdigest()
        new = {"name": f"{self.secret}.png", "kind": "photo", "size": len(self.picture), "sha256": digest}
        path = f"/visits/{visit or await self.visit()}/attachments"
        return self._marked(await done(self.admin("visit_api").post(path, json=new)))

    async def uploaded(self, visit: str | None = None) -> str:
        """The same, arrived."""
        attachment = await self.declared(visit)
        await done(self.admin("visit_api").put(f"/attachments/{attachment}/parts/1", content=self.picture))
        return attachment

    async def stored(self) -> str:
        """The same, kept."""
        attachment = await self.uploaded()
        await done(self.admin("visit_api").post(f"/attachments/{attachment}/complete"))
        return attachment

    async def appeal(self) -> str:
        """A complaint of three quarters of a day ago, so that people have been told of it; the tracker knows it."""
        return await self._heard("appeal")

    async def _told_of(self) -> str:
        return await self._raise(await self.visit(), received_at=self.ago(hours=19))

    async def answered(self) -> str:
        appeal = await self.appeal()
        answer = {"at": self.ago(minutes=1), "content": self.secret}
        await done(self.admin("appeal_tracker").post(f"/appeals/{appeal}/answers", json=answer))
        return appeal

    async def callback_task(self) -> str:
        """A callback that a supervisor asked for."""
        path = f"/appeals/{await self.answered()}/callback-tasks"
        return self._marked(await done(self.admin("appeal_tracker").post(path)))

    async def follow_up(self) -> str:
        """What is owed to a customer who was dissatisfied."""
        appeal, admin = await self.answered(), self.admin("appeal_tracker")
        rated = {"at": self.ago(), "result": "completed", "satisfaction": 1, "opinion": self.secret}
        await done(admin.post(f"/appeals/{appeal}/callbacks", json=rated))
        (task,) = [
            each
            for each in (await done(admin.get("/callback-tasks", params={"state": "open"})))["items"]
            if each["appeal_id"] == appeal
        ]
        return self._marked(task)

    async def closed(self) -> str:
        return await self._appeal_after(await self.answered(), "close")

    async def holdable(self) -> str:
        """A report whose answer may wait, by a pack of our own."""
        return await self._heard("report")

    async def surveyed(self) -> str:
        """A report that somebody is to look into on site, by that pack too."""
        return await self._heard("report")

    async def _report(self) -> str:
        if not self._timed:  # once: each time, all that is open would be calculated anew
            pack, admin = f"timed-{uuid4().hex[:8]}", self.admin("appeal_tracker")
            answer = {"milestone": "answer", "within": "10 working days", "holdable": True}
            survey = {"milestone": "site_survey", "within": "5 working days"}
            limits = [{"clause": "1", **limit} for limit in (answer, survey)]
            new = {"id": pack, "extends": "t-sdpea", "appeals": {"report": limits}}
            await done(admin.post("/policies", json=new))
            await done(admin.put(f"/units/{self.ours}/policy", json={"policy": pack}, headers={"If-Match": "*"}))
            self._timed = True
        return await self._raise(await self.visit(), type="report", received_at=self.ago(minutes=5))

    async def held(self) -> str:
        return await self._appeal_after(await self.holdable(), "hold", reason=self.secret, at=self.ago(minutes=2))

    async def with_a_twin(self) -> str:
        """An appeal of a visit on which its `twin` was raised too."""
        self.twin, appeal = (await self._heard("pair")).split()
        return appeal

    async def _pair(self) -> str:
        visit = await self.visit()
        return " ".join([await self._raise(visit, received_at=self.ago(minutes=minutes)) for minutes in (5, 4)])

    async def merged(self) -> str:
        appeal = await self.with_a_twin()
        return await self._appeal_after(appeal, "merge", into=self.twin)

    async def dispatched(self) -> str:
        """An appeal that somebody above handed to us."""
        appeal, above = await self.appeal(), self.client("appeal_tracker", "supervisor", unit=self.top)
        await done(above.post(f"/appeals/{appeal}/dispatch", json={"handling_unit_code": self.ours}))
        return appeal

    async def asked(self) -> str:
        """A question that was not answered at once."""
        return await self._heard("asked")

    async def _question(self) -> str:
        its = {"type": "consultation", "reason_not_answered": self.secret, "received_at": self.ago(minutes=5)}
        return await self._raise(await self.visit(), **its)

    async def read_in_confidence(self) -> str:
        """A report that another system sent in confidence, read by somebody from above: a line in the trail."""
        new = {"source": "95598", "source_no": uuid4().hex, "type": "report", "confidential": True}
        new |= {"summary": self.secret, "unit_code": self.ours, "received_at": self.ago(minutes=5)}
        system = self.client("appeal_tracker", "integration", unit=self.top)
        appeal = self._marked(await done(system.post("/appeals", json=new)))
        await done(self.client("appeal_tracker", "auditor", unit=self.top).get(f"/appeals/{appeal}/words"))
        return appeal

    async def posted(self) -> str:
        """A complaint that another system sent, accepted and watched over."""
        new = {"source": "95598", "source_no": uuid4().hex, "type": "complaint", "category": "attitude"}
        new |= {"summary": self.secret, "unit_code": self.ours, "taken_by": self.staff_no}
        system = self.client("appeal_tracker", "integration", unit=self.top)
        sent = await done(system.post("/appeals", json={**new, "received_at": self.ago(minutes=5)}))
        self.marks |= {sent["appeal_no"], sent["source_no"]}
        return await self._appeal_after(self._marked(sent), "supervise")

    async def absence(self) -> str:
        """Somebody of ours is away."""
        away = {"staff_no": await self._heard("member"), "since": self.ago(hours=1), "substitute": self.staff_no}
        return self._marked(await done(self.admin("appeal_tracker").post("/absences", json=away)))

    async def code_table(self) -> str:
        """What a system that sends appeals means by its codes."""
        admin = self.admin("appeal_tracker")
        written = await done(admin.put("/code-tables/95598", json={"types": {}}, headers={"If-Match": "*"}))
        return str(written["source"])

    async def deadline(self) -> str:
        appeal = await done(self.admin("appeal_tracker").get(f"/appeals/{await self.appeal()}"))
        return self._marked(appeal["clocks"][0])

    async def delivery(self) -> str:
        """A message about an appeal: the one to the supervisors of `ours`, dead while there are none."""
        query = {"appeal_id": await self.appeal()}
        found = await done(self.admin("notifier").get("/deliveries", params=query))
        return self._marked(min(found["items"], key=lambda delivery: delivery["state"] != "dead"))

    async def account(self) -> str:
        """By which ours would send, if it were in use."""
        new = {"provider": "webhook", "unit_code": self.ours, "name": self.secret, "active": False}
        new |= {"settings": {"url": "https://hooks.example.com/"}, "secrets": {"secret": f"whsec_{'QUJD' * 8}"}}
        return self._marked(await done(self.client("notifier", "admin", unit=self.ours).post("/accounts", json=new)))

    async def webhook(self) -> str:
        """Where somebody listens to what seldom happens: to tell each of all of it would take its time."""
        new = {"unit_code": self.ours, "event_types": ["appeal.merged.v1"], "secret": f"whsec_{'QUJD' * 8}"}
        new |= {"url": f"https://hooks.example.com/{uuid4().hex}", "description": self.secret}
        integration = self.client("notifier", "integration", unit=self.ours)
        return self._marked(await done(integration.post("/webhooks", json=new)))

    async def webhook_message(self) -> str:
        """A message to there that has not arrived."""
        integration = self.client("notifier", "integration", unit=self.ours)
        return self._marked(await done(integration.post(f"/webhooks/{await self.webhook()}/ping")))

    def new_route(self) -> Json:
        route = {"unit_code": self.ours, "event_type": "appeal.closed", "audience": "unit_supervisors"}
        return {**route, "channels": ["mailbox"]}

    async def route(self) -> str:
        return self._marked(await done(self.admin("notifier").post("/routes", json=self.new_route())))

    def new_group(self) -> Json:
        return {"unit_code": self.ours, "name": self.secret, "members": [self.staff_no]}

    async def group(self) -> str:
        return self._marked(await done(self.admin("notifier").post("/groups", json=self.new_group())))

    def new_duty(self) -> Json:
        duty = {"unit_code": self.ours, "role": "callback", "staff_no": self.staff_no}
        return {**duty, "starts_at": self.ago(hours=1), "ends_at": self.ago(hours=-1)}

    async def duty(self) -> str:
        return self._marked(await done(self.admin("notifier").post("/duties", json=self.new_duty())))

    async def new_absence(self) -> Json:
        """Of somebody long ago, so that nobody stands in for anybody now."""
        if "stand-in" not in self.standing:
            self.standing["stand-in"] = await self._heard("member")
        times = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"}
        return {"staff_no": self.staff_no, "substitute": self.standing["stand-in"], **times}

    async def substitute(self) -> str:
        return self._marked(await done(self.admin("notifier").post("/substitutes", json=await self.new_absence())))

    async def simulation(self) -> str:
        """The past of ours by another policy, judged already."""
        past = {"from": "2026-10-01", "to": self.now().astimezone(CHINA).date().isoformat(), "policy": "state-grid"}
        ours = self.client("appeal_tracker", "admin", unit=self.ours)
        made = await done(ours.post("/simulations", json=past))
        await self.stack.settle()
        return self._marked(made)

    async def recalculation(self) -> str:
        """One of ours, after which what is open stays as it was."""
        asked = {"cause": "policy_version", "policy": "t-sdpea", "unit_code": self.ours}
        made = await done(self.admin("appeal_tracker").post("/recalculations", json=asked))
        await self.stack.settle()
        return self._marked(made)

    async def pushed(self, kind: str, **fields: Any) -> Json:
        """What a visitor's device is answered to an item of `kind`."""
        item = {"kind": kind, "id": str(uuid4()), "at": self.ago(hours=2), **fields}
        visitor = self.stack.client("visit_api", "visitor", unit=self.ours, sub=self.staff_no)
        push = {"device": f"P-{self.ours}", "sent_at": self.ago(hours=1), "items": [item]}
        (answer,) = (await done(visitor.post("/sync/push", json=push)))["items"]
        self.marks.add(item["id"])
        return dict(answer)

    async def conflict(self) -> str:
        """An act that the record has at another time."""
        answer = await self.pushed("start", visit_id=await self._after(await self.visit(), "start"))
        self.marks.add(answer["conflict_id"])
        return str(answer["conflict_id"])

    async def suspicion(self) -> str:
        """Two visits that may be one."""
        plan = {"customer_id": await self.customer(), "channel": "phone", "scheduled_at": self.ago()}
        first = self._marked(await done(self.admin("visit_api").post("/visits", json=plan)))
        self.twin_visit = str((await self.pushed("visit", body=plan))["thing_id"])
        ours = self.client("visit_api", "supervisor", unit=self.ours)
        (its,) = (await done(ours.get("/sync/suspicions", params={"visit_id": first})))["items"]
        return self._marked(its)

    async def new_calendar(self) -> str:
        """What a calendar may be called that is still to be published."""
        return f"own-{uuid4().hex[:8]}"

    def new_pack(self) -> Json:
        """A pack of one's own, to be published."""
        limit = {"milestone": "answer", "within": "3 working days", "clause": "企标 3.1"}
        pack = {"id": f"own-{uuid4().hex[:8]}", "extends": "t-sdpea", "title": "企标"}
        return {**pack, "appeals": {"complaint": [limit]}}

    async def pack(self) -> str:
        """The same, published."""
        published = await done(self.admin("appeal_tracker").post("/policies", json=self.new_pack()))
        return str(published["policy"]["id"])

    def ago(self, **by: float) -> str:
        """An instant before now, as a caller would write it."""
        return (self.stack.clock.now() - timedelta(**by)).isoformat()

    def now(self) -> datetime:
        return self.stack.clock.now()

    async def fingerprint(self) -> dict[str, list[Any]]:
        """What is stored by now: of each service's tables the number of rows, and who wrote them. It is as it was where
        no transaction has written anywhere on the server since."""
        async with self.stack[SERVICES[0]].runtime.db.connection() as connection:
            by_now = await connection.fetchval("SELECT pg_current_snapshot()::text")
        if by_now != self._prints[0]:
            prints = {}
            for name in SERVICES:
                async with self.stack[name].runtime.db.connection() as connection:
                    rows = await connection.fetch(await connection.fetchval(_FINGERPRINT))
                prints[name] = [tuple(row) for row in rows]
            self._prints = (by_now, prints)
        return self._prints[1]

    async def _after(self, visit: str, act: str) -> str:
        await done(self.admin("visit_api").post(f"/visits/{visit}/{act}"))
        return visit

    async def _appeal_after(self, appeal: str, act: str, **body: Any) -> str:
        await done(self.admin("appeal_tracker").post(f"/appeals/{appeal}/{act}", json=body))
        return appeal

    async def _raise(self, visit: str, **fields: str) -> str:
        new = {"type": "complaint", "summary": self.secret, **fields}
        visitor = self.stack.client("visit_api", "visitor", unit=self.ours, sub=self.staff_no)
        raised = await done(visitor.post(f"/visits/{visit}/appeals", json=new))
        self.marks.add(raised["appeal_no"])
        return self._marked(raised)

    def _marked(self, thing: Json) -> str:
        self.marks.add(thing["id"])
        return str(thing["id"])


async def done(request: Any) -> Json:
    """What was answered to a request that must succeed."""
    answer: httpx.Response = await request
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    result: Json = answer.json()
    return result

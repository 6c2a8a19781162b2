// The way of one complaint by the generated client; what it needs comes in SMOKE, what it found goes out as one line.
import createClient from "openapi-fetch";

import type { components, paths as Notifier } from "./generated/notifier.js";
import type { paths as Tracker } from "./generated/appeal_tracker.js";
import type { paths as Visits } from "./generated/visit_api.js";

declare const process: { env: Record<string, string | undefined> };

interface Given {
  urls: { visit_api: string; appeal_tracker: string; notifier: string };
  token: string;
  unit: string;
  now: string;
}

const given = JSON.parse(process.env["SMOKE"] ?? "") as Given;
const headers = { Authorization: `Bearer ${given.token}` };
const visits = createClient<Visits>({ baseUrl: given.urls.visit_api, headers });
const tracker = createClient<Tracker>({ baseUrl: given.urls.appeal_tracker, headers });
const notifier = createClient<Notifier>({ baseUrl: given.urls.notifier, headers });

function got<Body>(answer: { data?: Body; error?: unknown }): Body {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const unit = got(await visits.POST("/v1/units", { body: { code: given.unit, name: "历下供电中心" } }));
const customer = got(
  await visits.POST("/v1/customers", { body: { name: "齐鲁机床", kind: "other.important", unit_code: unit.code } }),
);
const visit = got(
  await visits.POST("/v1/visits", { body: { customer_id: customer.id, channel: "on_site", scheduled_at: given.now } }),
);
const started = got(
  await visits.POST("/v1/visits/{id}/start", {
    params: { path: { id: visit.id }, header: { "Idempotency-Key": `start-${visit.id}` } },
    body: {},
  }),
);
const raised = got(
  await visits.POST("/v1/visits/{id}/appeals", {
    params: { path: { id: visit.id } },
    body: { type: "complaint", summary: "三天两头停电", received_at: given.now },
  }),
);

async function heard() {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await tracker.GET("/v1/appeals/{id}", { params: { path: { id: raised.id } } });
    if (answer.data !== undefined) return answer.data;
    if (answer.error.status !== 404) throw new Error(answer.error.title);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the tracker never heard of it");
}

const appeal = await heard();
const archive = got(await visits.GET("/v1/archive", { params: { query: { unit_code: unit.code } } }));
const deliveries = got(await notifier.GET("/v1/deliveries", { params: { query: { appeal_id: raised.id } } }));
const states: components["schemas"]["DeliveryView"]["state"][] = deliveries.items.map((each) => each.state);
const missing = await visits.GET("/v1/visits/{id}", { params: { path: { id: raised.id } } });

console.log(
  JSON.stringify({
    visit: started.state,
    clocks: appeal.clocks.map((clock) => [clock.milestone, clock.state]),
    archived: archive.items.length,
    deliveries: states.length,
    missing: missing.error?.status,
  }),
);

import { z } from "zod";
import { NOT_FOUND, detail, json } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { sortBytewise } from "./byte-order.ts";
import { changeSchema, recomputeSchema, segmentSchema, tenantSchema } from "./control-shapes.ts";
import type { FaultReport } from "./control-shapes.ts";
import { faultSchema } from "./faults.ts";
import { recompute } from "./recompute.ts";
import type { SegopsState } from "./segops-state.ts";
import type { Segment } from "./segment.ts";
import { openSegment } from "./tenants.ts";
import type { Tenant } from "./tenants.ts";

/** A control request; `body` throws if it is not JSON. */
export interface ControlRequest {
  method: string;
  path: string;
  body: () => Promise<unknown>;
}

const SEGMENT_PATH =
  /^\/_control\/tenants\/(?<slug>[\w-]+)\/segments\/(?<segment>\d+)(?:\/(?<action>[\w-]+))?$/;
const TENANT_PATH = /^\/_control\/tenants\/(?<slug>[\w-]+)$/;

/** Answers the control API: 400 with the reasons for a malformed body, 404 for what is not there. */
export async function answerControl(state: SegopsState, request: ControlRequest): Promise<Answer> {
  try {
    return (await route(state, request)) ?? NOT_FOUND;
  } catch (error) {
    if (error instanceof z.ZodError) return detail(400, z.prettifyError(error));
    if (error instanceof SyntaxError) return detail(400, error.message);
    throw error;
  }
}

async function route(state: SegopsState, request: ControlRequest): Promise<Answer | undefined> {
  if (request.path === "/_control/faults") return steerFaults(state, request);
  if (request.path === "/_control/stats") return json(200, state.stats());
  const tenantSlug = TENANT_PATH.exec(request.path)?.groups?.["slug"];
  if (tenantSlug !== undefined && request.method === "PUT") {
    const { number, slug } = state.tenants.put(tenantSlug, tenantSchema.parse(await request.body()));
    return json(200, { slug, tenant: number });
  }
  const { slug = "", segment = "", action = "" } = SEGMENT_PATH.exec(request.path)?.groups ?? {};
  const tenant = state.tenants.get(slug);
  return tenant && routeSegment(state, request, tenant, Number(segment), action);
}

async function routeSegment(
  state: SegopsState,
  request: ControlRequest,
  tenant: Tenant,
  id: number,
  action: string,
): Promise<Answer | undefined> {
  const call = `${request.method} ${action}`.trim();
  if (call === "PUT") return putSegment(tenant, id, await request.body());
  const segment = tenant.segments.get(id);
  if (!segment) return undefined;
  switch (call) {
    case "DELETE":
      tenant.segments.delete(id);
      return json(200, { deleted: id });
    case "POST change":
      segment.change(changeSchema.parse(await request.body()));
      return pendingAnswer(segment);
    case "POST recompute":
      return json(
        200,
        await recompute(tenant, segment, state.webhooks, recomputeSchema.parse(await request.body())),
      );
    case "GET webhook-body":
      return segment.webhookBody === undefined ? undefined : jsonText(segment.webhookBody);
    case "GET members":
      return memberLines(segment);
    default:
      return undefined;
  }
}

function putSegment(tenant: Tenant, id: number, body: unknown): Answer {
  const settings = segmentSchema.parse(body);
  const segment = openSegment(tenant, id);
  segment.set(settings);
  return pendingAnswer(segment);
}

function pendingAnswer(segment: Segment): Answer {
  return json(200, { pending_count: segment.pendingCount });
}

function jsonText(body: string): Answer {
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

const LINES_PER_CHUNK = 5000;

/** The published membership, a JSON string a line, distinct, in the order of the ids' UTF-8 bytes. */
function memberLines(segment: Segment): Answer {
  const sorted = sortBytewise(segment.published?.members ?? []);
  return { status: 200, headers: { "content-type": "application/x-ndjson" }, body: jsonLines(sorted) };
}

function* jsonLines(ids: string[]): Generator<string> {
  for (let start = 0; start < ids.length; start += LINES_PER_CHUNK) {
    const chunk = ids.slice(start, start + LINES_PER_CHUNK);
    yield chunk.map((id) => `${JSON.stringify(id)}\n`).join("");
  }
}

async function steerFaults(state: SegopsState, request: ControlRequest): Promise<Answer | undefined> {
  switch (request.method) {
    case "POST":
      return json(200, { id: state.faults.add(faultSchema.parse(await request.body())).id });
    case "DELETE":
      state.faults.clear();
      return json(200, {});
    case "GET":
      return json(200, { faults: state.faults.list().map(faultReport) });
    default:
      return undefined;
  }
}

type ListedFault = ReturnType<SegopsState["faults"]["list"]>[number];

function faultReport({ id, kind, on, tenant, segment, left, struck }: ListedFault): FaultReport {
  return { id, kind, on, tenant, segment, left, struck };
}

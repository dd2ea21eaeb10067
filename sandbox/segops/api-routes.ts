import { z } from "zod";
import { NOT_FOUND, detail, json } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { formatComputedAt } from "./computed-at.ts";
import { availableFile } from "./export-jobs.ts";
import type { ExportJob } from "./export-jobs.ts";
import type { ContentKind, FaultTarget, RequestPoint } from "./faults.ts";
import { membersPage } from "./members-page.ts";
import { recompute } from "./recompute.ts";
import type { SegopsState } from "./segops-state.ts";
import type { Segment } from "./segment.ts";
import type { Tenant } from "./tenants.ts";

/** A request that is allowed and whose segment exists. */
interface ApiCall {
  state: SegopsState;
  url: URL;
  tenant: Tenant;
  segment: Segment;
  /** The export that a download names. */
  job: ExportJob | undefined;
  body: () => Promise<string>;
  takeFault: (kind: ContentKind) => boolean;
}

interface ApiRoute {
  method: "GET" | "POST";
  path: RegExp;
  point: RequestPoint;
  handle: (call: ApiCall) => Answer | Promise<Answer>;
}

const ROUTES: ApiRoute[] = [
  { method: "GET", path: segmentPath(""), point: "segment", handle: showSegment },
  { method: "GET", path: segmentPath("members/"), point: "members", handle: listMembers },
  { method: "POST", path: segmentPath("export/"), point: "export", handle: startExport },
  { method: "GET", path: segmentPath("export/"), point: "export_status", handle: showExport },
  { method: "POST", path: segmentPath("compute/"), point: "compute", handle: compute },
  {
    method: "GET",
    path: /^\/api\/segments\/exports\/(?<job>\d+)\/download\/$/,
    point: "download",
    handle: download,
  },
];

function segmentPath(rest: string): RegExp {
  return new RegExp(`^/api/segments/(?<segment>\\d+)/${rest}$`);
}

/** A request of SegOps' API, resolved as far as faults need to know it; or the refusal it meets before that. */
export type ResolvedRequest = { refusal: Answer } | { target: FaultTarget; handle: () => Promise<Answer> };

export interface ApiRequest {
  method: string;
  url: URL;
  authorization: string | undefined;
  body: () => Promise<string>;
}

/** Finds route, tenant and segment: 401 without a tenant's key, 404 for whatever is not that tenant's. */
export function resolveApiRequest(state: SegopsState, request: ApiRequest): ResolvedRequest {
  const tenant = state.tenants.byAuthorization(request.authorization);
  if (!tenant) return { refusal: refuseCredentials(state, request.authorization) };
  for (const route of ROUTES) {
    const match = route.method === request.method && route.path.exec(request.url.pathname);
    if (match) return resolveRoute(state, request, tenant, route, match.groups ?? {});
  }
  return { refusal: NOT_FOUND };
}

function refuseCredentials(state: SegopsState, authorization: string | undefined): Answer {
  state.countRequest("unauthorized");
  return authorization === undefined
    ? detail(401, "Authentication credentials were not provided.")
    : detail(401, "Invalid API key.");
}

function resolveRoute(
  state: SegopsState,
  { url, body }: ApiRequest,
  tenant: Tenant,
  { point, handle }: ApiRoute,
  names: Record<string, string>,
): ResolvedRequest {
  state.countRequest(point);
  const job = names["job"] === undefined ? undefined : state.exports.find(tenant.slug, Number(names["job"]));
  const segment = tenant.segments.get(job?.segment.id ?? Number(names["segment"]));
  if (!segment) return { refusal: NOT_FOUND };
  const target = { point, tenant: tenant.slug, segment: segment.id };
  const takeFault = (kind: ContentKind) => state.faults.takeContent(kind, target);
  return { target, handle: async () => handle({ state, url, tenant, segment, job, body, takeFault }) };
}

function showSegment({ tenant, segment, takeFault }: ApiCall): Answer {
  const { published } = segment;
  const count = published?.members.length ?? 0;
  return json(200, {
    id: segment.id,
    name: segment.name,
    description: segment.description,
    tenant: tenant.number,
    segment_type: "rule",
    definition: { logic: "AND", conditions: [] },
    member_count: takeFault("short_count") ? Math.abs(count - 1) : count,
    last_computed_at:
      published && takeFault("older_computed_at") ? anHourBefore(segment) : (published?.computedAt ?? null),
    state: segment.state,
  });
}

function anHourBefore(segment: Segment): string {
  const micros = segment.published?.computedAtMicros ?? 0;
  return formatComputedAt(micros - 3_600_000_000, segment.options.precision);
}

function listMembers({ state, url, tenant, segment, takeFault }: ApiCall): Answer {
  return membersPage(segment, url, {
    takeFault,
    recompute: () => void recompute(tenant, segment, state.webhooks),
  });
}

const exportRequestSchema = z.object({ format: z.enum(["parquet", "csv"]) });

async function startExport({ state, tenant, segment, body, takeFault }: ApiCall): Promise<Answer> {
  const request = exportRequestSchema.safeParse(parseJson(await body()));
  if (!request.success) return json(400, { format: ["Choose one of: parquet, csv."] });
  const neverCompletes = takeFault("export_never_completes");
  const job = state.exports.start(tenant.slug, segment, request.data.format, neverCompletes);
  if (takeFault("recompute_mid_export")) void recompute(tenant, segment, state.webhooks);
  return json(202, { export_id: job.id, status: "pending" });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function showExport({ state, url, tenant, segment }: ApiCall): Answer {
  const id = url.searchParams.get("export_id");
  if (id === null) return json(400, { export_id: ["This field is required."] });
  const job = state.exports.find(tenant.slug, Number(id));
  if (job?.segment !== segment) return NOT_FOUND;
  const words = { pending: "pending", failed: "failed", done: segment.options.statusWord };
  return json(200, {
    id: job.id,
    status: words[job.state],
    format: job.format,
    download_url: job.file ? `/api/segments/exports/${job.id}/download/` : null,
    expires_at: job.file ? new Date(job.file.expiresAtMs).toISOString() : null,
  });
}

function download({ state, segment, job }: ApiCall): Answer {
  if (!job || !availableFile(job)) return detail(404, "This export is not available.");
  const path = `/_files/${job.token}`;
  const location = segment.options.location === "relative" ? path : `${state.filesUrl}${path}`;
  return { status: 302, headers: { location } };
}

function compute({ state, tenant, segment }: ApiCall): Answer {
  if (!segment.isComputing) {
    segment.isComputing = true;
    state.later(segment.options.computeDelayMs, () => {
      segment.isComputing = false;
      void recompute(tenant, segment, state.webhooks);
    });
  }
  return json(202, { status: "queued" });
}

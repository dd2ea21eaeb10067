import pLimit from "p-limit";
import { noQuerySchema } from "../../contracts/http.ts";
import { analyticsSchema, type ActivationAnalytics } from "../../contracts/http-answers.ts";
import type { ConnectorKey } from "../../contracts/connector-id.ts";
import type { Commit } from "../../contracts/log.ts";
import type { ConnectorView } from "../../contracts/view.ts";
import { readProblems } from "../answers.ts";
import { principalOf } from "../auth/authenticate.ts";
import type { Gateway, Server } from "../gateway.ts";

/** As SegOps counts: the success rate over the last 30 runs, and the last five of them. */
const ratedRuns = 30;
const shownRuns = 5;
const readsAtOnce = 4;

export function analyticsRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/api/analytics/activations/",
    schema: {
      operationId: "activationAnalytics",
      summary: "How the connectors fared, in SegOps' shape",
      tags: ["analytics"],
      querystring: noQuerySchema,
      response: { 200: analyticsSchema.describe("A bare array, as SegOps answers it."), ...readProblems },
    },
    handler: async (request) => {
      const { tenant } = principalOf(request);
      const limit = pLimit(readsAtOnce);
      const views = await gateway.reads.list(tenant);
      return await Promise.all(
        views.map((view) =>
          limit(async () =>
            analytics(view, await lastCommits(gateway, { tenant_slug: tenant, segment_id: view.id })),
          ),
        ),
      );
    },
  });
}

async function lastCommits({ reads }: Gateway, key: ConnectorKey): Promise<Commit[]> {
  const runs = await reads.log(key).runs({ limit: ratedRuns });
  return runs.map(({ commit }) => commit).filter((commit) => commit !== undefined);
}

function analytics(view: ConnectorView, commits: Commit[]): ActivationAnalytics {
  const { id, segment, segment_name, connector_type, status, last_synced_at, last_error, member_count } =
    view;
  const succeeded = commits.filter(isSuccess).length;
  return {
    id,
    segment_id: segment,
    segment_name,
    connector_type,
    status,
    last_synced_at,
    last_error,
    member_count,
    success_rate: commits.length === 0 ? null : Math.round((100 * succeeded) / commits.length),
    sync_logs: commits.slice(0, shownRuns).map((commit) => ({
      status: isSuccess(commit) ? "success" : "error",
      user_count: commit.recompute?.member_count ?? 0,
      error_message: commit.error?.message ?? "",
      synced_at: commit.at,
    })),
  };
}

function isSuccess({ outcome }: Commit): boolean {
  return outcome === "clean" || outcome === "no_change" || outcome === "held";
}

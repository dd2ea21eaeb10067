import { activityInfo, cancellationDetails, cancellationSignal } from "@temporalio/activity";
import { createDeadline, type Deadline } from "../braze/deadline.ts";
import { PartFailure } from "../braze/part-failure.ts";
import { sendPart as sendBatches } from "../braze/part-sender.ts";
import type { BrazeRequest } from "../braze/request.ts";
import type { ConnectorConfig } from "../contracts/connector-config.ts";
import { connectorName } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import { connectorFolder, type FileRef, type Plan } from "../contracts/log.ts";
import type { PartProgress, SendPartInput, SentPart } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { openWorkspace } from "./open-workspace.ts";

/** Makes the request for some of a part's users. The same users always give the same bytes. */
export type RequestFor = (userIds: readonly string[], config: ConnectorConfig) => BrazeRequest;

/**
 * What the three sending activities share.
 * Promise: nothing is sent unless the plan is this run's and has no commit, and nothing later than the part's time after
 * that was seen. Heartbeat: `PartProgress`. Attempt 2 goes on from the last one that arrived: at most what was sent since
 * is sent again, the same bytes.
 * Cancelled, it settles what is in flight and answers how far it came; on a worker's shutdown it fails with the same, so
 * that another attempt follows.
 */
export async function sendPart(
  deps: ActivityDeps,
  input: SendPartInput,
  requestFor: RequestFor,
): Promise<SentPart> {
  // The time counts from before the look at the log, so that it can only be too short.
  const deadline = createDeadline(deps.partSeconds * 1000);
  const { file, batchSize, config } = await openPart(deps, input);
  const workspace = await openWorkspace(deps, input.scope.key, config);
  const ids = await deps.ledger.readPart(file);
  const send = (from: number, to: number) =>
    workspace.send(requestFor(ids.slice(from, to), config), deadline);
  const limiter = requestFor([], config).limiter;
  return await settle(deps, input, deadline, {
    users: ids.length,
    batchSize,
    acquire: (signal) => workspace.acquire(limiter, connectorName(input.scope.key), signal),
    sendBatch: send,
  });
}

async function settle(
  deps: ActivityDeps,
  { scope, progress: given }: SendPartInput,
  deadline: Deadline,
  part: Pick<Parameters<typeof sendBatches>[0], "users" | "batchSize" | "acquire" | "sendBatch">,
): Promise<SentPart> {
  let progress = furthest(given, activityInfo().heartbeatDetails as PartProgress | undefined);
  // What an attempt that died sent after its last heartbeat is known to nobody.
  const isDoubtful = activityInfo().attempt > 1;
  const folder = connectorFolder(scope.key);
  const sending = () =>
    sendBatches({
      ...part,
      progress,
      afterLostAttempt: isDoubtful,
      deadline,
      signal: cancellationSignal(),
      report: (reported) => {
        progress = reported;
      },
      spill: async (rejects, previous) => {
        const all = await deps.ledger.readRejects({ count: 0, inline: rejects, file: previous });
        return await deps.ledger.publishRejects(folder, scope.number, all);
      },
    });
  try {
    return { ...(await withHeartbeat(sending, () => progress)), isDoubtful };
  } catch (error) {
    const cancelled = cancellationDetails()?.cancelRequested === true;
    if (cancelled && error instanceof PartFailure && error.code === "worker_stopping") {
      return { progress: error.progress, done: false, isDoubtful };
    }
    throw error;
  }
}

/** The part as the plan names it, if the plan is this run's and still open. */
async function openPart(
  { ledger }: ActivityDeps,
  { scope, channel, direction, part }: SendPartInput,
): Promise<{ file: FileRef; batchSize: number; config: ConnectorConfig }> {
  const log = ledger.log(scope.key);
  if (!(await log.isOpen(scope))) throw new CodedError("run_superseded", `run ${scope.number}`);
  const plan: Plan | undefined = await log.plan(scope.number);
  const entry = plan && (await log.config(plan.config_number));
  const delta = plan?.channels
    .find((planned) => planned.channel === channel)
    ?.deltas.find((planned) => planned.direction === direction);
  const file = delta?.parts[part];
  if (!entry || !delta || !file) throw new CodedError("log_unreadable", `run ${scope.number}, part ${part}`);
  return { file, batchSize: delta.batch_size, config: entry.config };
}

/** The workflow's word or the last heartbeat's, whichever had come further. */
function furthest(given: PartProgress, heartbeaten: PartProgress | undefined): PartProgress {
  return heartbeaten && heartbeaten.cursor >= given.cursor ? heartbeaten : given;
}

import { WorkflowNotFoundError } from "@temporalio/client";
import type { BrazeRequest } from "../../src/braze/request.ts";
import { subscriptionStatusRequest } from "../../src/braze/subscription-status.ts";
import { trackRequest } from "../../src/braze/track.ts";
import {
  maxTrackBatchSizeUsers,
  parseChannel,
  subscriptionBatchSizeUsers,
  type Channel,
} from "../../src/contracts/channel.ts";
import { connectorName } from "../../src/contracts/connector-id.ts";
import { tenant } from "../stack-environment.ts";
import type { Stack } from "../stack.ts";
import type { Remembered } from "./remembered.ts";

/**
 * Gives the stand-ins, which keep nothing, what a connector's log says that they held: SegOps the segment at its time, Braze
 * the key and the people. A run that was cut off in its middle is ended: what it had sent is nowhere written, so the
 * connector must take all that it planned for unknown and begin anew. Answers in words what was done.
 */
export async function refillStandIns(stack: Stack, remembered: Remembered): Promise<string> {
  const { key, membership, channels, openRun } = remembered;
  const name = connectorName(key);
  if (key.tenant_slug !== tenant)
    return `${name}: left alone, because the SegOps stand-in has the tenant ${tenant} alone.`;
  if (openRun) await endRun(stack, openRun);
  await refillBraze(stack, remembered);
  if (!membership) return `${name}: it never had members, and the SegOps stand-in has forgotten its segment.`;
  await refillSegops(stack, key.segment_id, membership);
  const delivered = Math.max(0, ...channels.map(({ userIds }) => userIds.length));
  const refilled = `${name}: SegOps has its ${membership.userIds.length} members again, Braze the ${delivered} that were delivered`;
  return openRun ? `${refilled}; a run was cut off, and another one follows.` : `${refilled}.`;
}

async function refillSegops(
  { segops }: Stack,
  segmentId: number,
  { name, userIds, computedAt }: NonNullable<Remembered["membership"]>,
): Promise<void> {
  await segops.putSegment(tenant, segmentId, { name, members: userIds });
  await segops.recompute(tenant, segmentId, { computed_at: computedAt, webhook: false });
}

async function refillBraze(stack: Stack, { apiKey, config, channels }: Remembered): Promise<void> {
  if (config.rest_endpoint !== stack.brazeUrl) return;
  await stack.braze.putWorkspace({ key: apiKey });
  // In the order of a run: a subscription state needs a user to be there.
  for (const { channel, userIds } of channels)
    for (const request of requestsFor(channel, userIds)) await post(stack.brazeUrl, apiKey, request);
  await stack.braze.settle(apiKey);
}

function* requestsFor(channel: Channel, userIds: readonly string[]): Generator<BrazeRequest> {
  const target = parseChannel(channel);
  const isAttribute = target.kind === "attribute";
  const batchSize = isAttribute ? maxTrackBatchSizeUsers : subscriptionBatchSizeUsers;
  for (let from = 0; from < userIds.length; from += batchSize) {
    const ids = userIds.slice(from, from + batchSize);
    yield isAttribute
      ? trackRequest(ids, {
          attributeName: target.attributeName,
          direction: "entered",
          exit_mode: "remove",
          create_missing_users: true,
        })
      : subscriptionStatusRequest(ids, { groupId: target.groupId, direction: "entered" });
  }
}

async function post(brazeUrl: string, apiKey: string, { path, body }: BrazeRequest): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const response = await fetch(brazeUrl + path, { method: "POST", headers, body });
  if (response.status !== 201)
    throw new Error(`the Braze stand-in could not be filled again: ${path} answered ${response.status}`);
  await response.body?.cancel();
}

async function endRun({ client }: Stack, workflowId: string): Promise<void> {
  try {
    await client.workflow
      .getHandle(workflowId)
      .terminate("dev began anew: the Braze stand-in forgot what this run had sent");
  } catch (error) {
    // It had ended, or Temporal's file was removed: the connector closes the run by its log alone.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

import { cancellationSignal } from "@temporalio/activity";
import { createDeadline } from "../braze/deadline.ts";
import { exportBatchSizeUsers, type ShownAs } from "../braze/export-ids.ts";
import { readBack } from "../braze/read-back.ts";
import { attributeChannel, type Channel } from "../contracts/channel.ts";
import type { ConnectorConfig } from "../contracts/connector-config.ts";
import { connectorName } from "../contracts/connector-id.ts";
import { CodedError, errorTable, type ErrorCode } from "../contracts/errors.ts";
import { connectorFolder, type LedgerRef } from "../contracts/log.ts";
import type { VerifiedWrites, VerifyWritesInput } from "../contracts/run.ts";
import { recentWrites } from "../ledger/recent-writes.ts";
import { settledWrites, verifiedThrough } from "../ledger/settled-writes.ts";
import type { ExpectedUser } from "../ledger/verification.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { openWorkspace } from "./open-workspace.ts";

/** For Braze's answers: half a minute, and so much for each request, which is four times what its limit makes of it. */
const patienceMs = 30_000;
const patiencePerRequestMs = 1000;

interface Chosen {
  channel: Channel;
  attributeName: string;
  through: number;
  users: ExpectedUser[];
}

/**
 * Promise: users whom Braze shows otherwise than the ledger says are found, by sample, and nothing that goes wrong meanwhile is
 * a failure of the run: `skipped` says what it was. It writes nothing to Braze.
 * In: a sample of the whole ledger, or none: then of what was written since the last look and before the quiet window. Only the
 * attribute is read back. Out: counts, and a file of who was wrong. Heartbeat: no details. Attempt 2 asks for the same users again.
 * Errors: what has no code.
 */
export function createVerifyWrites(deps: ActivityDeps) {
  return (input: VerifyWritesInput): Promise<VerifiedWrites> =>
    withHeartbeat(async () => {
      try {
        return await verify(deps, input);
      } catch (error) {
        if (error instanceof CodedError) return { ...nothing, skipped: error.code };
        throw error;
      }
    });
}

const nothing: VerifiedWrites = {
  checked: 0,
  wrong: 0,
  skipped: null,
  channel: null,
  wrongUsers: null,
  through: 0,
};

async function verify(deps: ActivityDeps, input: VerifyWritesInput): Promise<VerifiedWrites> {
  const log = deps.ledger.log(input.scope.key);
  const entry = await log.latestConfig();
  if (!entry || (input.sample ?? deps.verifySampleUsers) === 0) return nothing;
  const { config } = entry;
  const chosen = await deps.heavy(() => choose(deps, input, config));
  if (!chosen) return nothing;
  const { channel, through, users } = chosen;
  if (users.length === 0) return { ...nothing, through };
  const { shown, stoppedBy } = await ask(deps, input, config, chosen);
  const wrong = users.filter((user) => isWrong(user, shown.get(user.userId), config));
  const { key, number } = input.scope;
  const publishing = { folder: connectorFolder(key), number, userIds: wrong.map(({ userId }) => userId) };
  return {
    channel,
    checked: shown.size,
    wrong: wrong.length,
    skipped: stoppedBy,
    wrongUsers: wrong.length === 0 ? null : await deps.ledger.publishWrong(publishing),
    through: stoppedBy && isPassing(stoppedBy) ? 0 : through,
  };
}

async function choose(
  { ledger: files, quietWindowMs: windowMs, verifySampleUsers }: ActivityDeps,
  { scope, at, sample }: VerifyWritesInput,
  config: ConnectorConfig,
): Promise<Chosen | undefined> {
  const { number } = scope;
  const log = files.log(scope.key);
  const previous = await log.commitBefore(number);
  const channel = attributeChannel(config.attribute_name);
  const ledger = previous?.channels.find((known) => isSame(known, channel, config));
  if (!ledger) return undefined;
  const isWhole = sample !== null;
  const from = isWhole ? 0 : verifiedThrough(previous);
  const { through, entered, exited } = await settledWrites(log, { number, from, at, windowMs, channel });
  // A sample of the whole is no word about what was written last: that is looked at by the next run.
  const chosen = { channel, attributeName: config.attribute_name, through: isWhole ? 0 : through };
  const parts = isWhole ? exited : [...entered, ...exited];
  if (parts.length === 0 && !isWhole) return { ...chosen, users: [] };
  const recent = await recentWrites(log, { number, at, windowMs });
  const users = await files.chooseUsers({
    ledger,
    parts,
    fromBase: isWhole,
    recent: recent(channel).flatMap((run) => run.parts),
    users: sample ?? verifySampleUsers,
    // Other users in each run, and the same ones on attempt 2.
    seed: number,
    signal: cancellationSignal(),
  });
  return { ...chosen, users };
}

/** Another endpoint is another workspace: what that one shows is not asked for. */
function isSame(ledger: LedgerRef, channel: string, { rest_endpoint }: ConnectorConfig): boolean {
  return ledger.channel === channel && ledger.rest_endpoint === rest_endpoint;
}

async function ask(
  deps: ActivityDeps,
  { scope }: VerifyWritesInput,
  config: ConnectorConfig,
  { users, attributeName }: Chosen,
) {
  const workspace = await openWorkspace(deps, scope.key, config);
  const requests = Math.ceil(users.length / exportBatchSizeUsers);
  const deadline = createDeadline(patienceMs + requests * patiencePerRequestMs);
  const signal = cancellationSignal();
  return await readBack({
    userIds: users.map(({ userId }) => userId),
    deadline,
    signal,
    ask: async (userIds) => {
      await workspace.acquire("export", connectorName(scope.key), signal);
      return await workspace.readUsers(userIds, attributeName, deadline);
    },
  });
}

/** A user whom Braze does not have is no member; and where none are created, that is as it should be for a member, too. */
function isWrong(
  { isMember }: ExpectedUser,
  shown: ShownAs | undefined,
  { create_missing_users }: ConnectorConfig,
): boolean {
  if (shown === undefined) return false;
  if (isMember && shown === "unknown_user") return create_missing_users;
  return isMember !== (shown === "member");
}

/** What time mends is tried again by the next run; what needs a person is not asked again for the same writes. */
function isPassing(code: ErrorCode): boolean {
  return errorTable[code].kind === "retry";
}

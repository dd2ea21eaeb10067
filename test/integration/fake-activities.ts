import type {
  createComputeActivities,
  createDeliverActivities,
} from "../../src/activities/create-activities.ts";
import { attributeChannel } from "../../src/contracts/channel.ts";
import { showConfig } from "../../src/contracts/connector-config.ts";
import { connectorName, type ConnectorKey } from "../../src/contracts/connector-id.ts";
import { errorMessage } from "../../src/contracts/errors.ts";
import type {
  DiffMembershipInput,
  PlannedDelta,
  SendPartInput,
  VerifiedWrites,
  VerifyWritesInput,
} from "../../src/contracts/run.ts";
import { FakeConnector, outcomeOf, settledUpTo, stopped } from "./fake-connector.ts";

/**
 * The activities over an in-memory log, with the real ones' types: a drift between the two does not compile. Each test takes a
 * connector of its own (`connectorOf`) and steers what its activities do by the connector's fields and hooks.
 */
export class FakeActivities {
  readonly #connectors = new Map<string, FakeConnector>();

  connectorOf(key: ConnectorKey): FakeConnector {
    const name = connectorName(key);
    const known = this.#connectors.get(name) ?? new FakeConnector(key);
    this.#connectors.set(name, known);
    return known;
  }

  compute(): ReturnType<typeof createComputeActivities> {
    return {
      openLog: async ({ key }) => {
        const fake = this.connectorOf(key);
        fake.counts.opens++;
        await fake.on.openLog?.();
        return fake.opened();
      },
      writeConfig: async (input) => {
        const fake = this.connectorOf(input.key);
        await fake.on.writeConfig?.(input);
        const { number, config } = fake.writeConfig(input);
        return { number, shown: showConfig(config) };
      },
      lookAtSegment: async ({ key }) => {
        const fake = this.connectorOf(key);
        fake.counts.looks++;
        await fake.on.lookAtSegment?.();
        return fake.segment;
      },
      cleanUp: async ({ key }) => {
        const fake = this.connectorOf(key);
        fake.counts.cleanUps++;
        await fake.on.cleanUp?.();
        return { files: 0, bytes: 0 };
      },
      fetchMembership: async ({ scope }) => {
        const fake = this.connectorOf(scope.key);
        fake.counts.fetches++;
        const { computedAt, memberCount, segmentName } = fake.segment;
        fake.begin(scope, false);
        await fake.on.fetchMembership?.();
        if (computedAt === null) throw stopped("segment_not_computed");
        const snapshot = { key: "snapshots/1.parquet", rows: memberCount, bytes: 1, sha256: "0".repeat(64) };
        const dropped = { empty: 0, ill_formed: 0, not_string: 0, duplicate: 0 };
        return { snapshot, computedAt, memberCount, segmentName, dropped };
      },
      diffMembership: async (input) => {
        const fake = this.connectorOf(input.scope.key);
        await fake.on.diffMembership?.();
        const deltas = fake.deltas ?? attributeDelta(fake, input);
        fake.begin(input.scope, deltas.length > 0);
        const configNumber = fake.configs.length;
        return { planned: deltas.length > 0, deltas, configNumber, partSeconds: fake.partSeconds };
      },
      commitLedger: async (input) => {
        const fake = this.connectorOf(input.scope.key);
        await fake.on.commitLedger?.();
        const { error, reason, startedAt, planned } = input;
        const outcome = outcomeOf(error, planned);
        return fake.commit(input.scope, input.at, { outcome, reason, startedAt, error }, input);
      },
      closeRun: async ({ scope, at }) => {
        const fake = this.connectorOf(scope.key);
        fake.counts.closes++;
        await fake.on.closeRun?.();
        const known = fake.runs.get(scope.number)?.commit;
        if (known) return known;
        const error = { code: "run_abandoned", message: errorMessage("run_abandoned") };
        return fake.commit(
          scope,
          at,
          { outcome: "partial", reason: "abandoned", startedAt: at, error },
          null,
        );
      },
    };
  }

  deliver(): ReturnType<typeof createDeliverActivities> {
    const send = async (input: SendPartInput) => {
      const fake = this.connectorOf(input.scope.key);
      fake.sent.push(input);
      return (await fake.on.send?.(input)) ?? { progress: settledUpTo(10), done: true };
    };
    const verifyWrites = async ({ scope }: VerifyWritesInput) => {
      const fake = this.connectorOf(scope.key);
      return (await fake.on.verifyWrites?.()) ?? nothingVerified;
    };
    return { verifyWrites, trackEntered: send, unsetExited: send, updateSubscriptionGroup: send };
  }
}

const nothingVerified: VerifiedWrites = {
  checked: 0,
  wrong: 0,
  skipped: null,
  channel: null,
  wrongUsers: null,
  through: 0,
};

/** Ten users entered where the membership is newer than what was delivered; ten exited where nobody is to be a member. */
function attributeDelta(fake: FakeConnector, { membership }: DiffMembershipInput): PlannedDelta[] {
  const channel = attributeChannel(`segops_segment_${fake.key.segment_id}`);
  if (membership === null) return [{ channel, direction: "exited", users: 10, parts: 1 }];
  const delivered = fake.opened().deliveredComputedAt;
  return membership.computedAt === delivered ? [] : [{ channel, direction: "entered", users: 10, parts: 1 }];
}

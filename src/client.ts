// What SegOps' TypeScript code imports, and what the command line and the gateway are made of.
import { WithStartWorkflowOperation, type Client } from "@temporalio/client";
import type { UpdateDefinition } from "@temporalio/common";
import type { JSONWebKeySet } from "jose";
import { askTemporal, askWorker, codedError } from "./client/ask.ts";
import { ClientError } from "./client/client-error.ts";
import { checkedKey, connectorOfWebhook } from "./client/connector-name.ts";
import { listConnectors, type ListedConnector, type ListFilter } from "./client/list-connectors.ts";
import { isConfigured, lookAtConnector, withProgress } from "./client/look-at-connector.ts";
import { checkSettings, sealSettings } from "./client/settings.ts";
import { startOptions, type ConnectorWorkflow } from "./client/start-options.ts";
import type { ConfigChange } from "./contracts/connector-config.ts";
import { connectorName, type ConnectorKey } from "./contracts/connector-id.ts";
import {
  activateUpdate,
  approveRemovalUpdate,
  configureUpdate,
  deactivateUpdate,
  recomputeSignal,
  removeUpdate,
  resyncUpdate,
  syncUpdate,
  verifyUpdate,
} from "./contracts/connector-messages.ts";
import { CodedError, isErrorCode } from "./contracts/errors.ts";
import { parseRecompute } from "./contracts/recompute.ts";
import { workflowTypes } from "./contracts/temporal-names.ts";
import type { ConnectorView } from "./contracts/view.ts";

export { connectTemporal } from "./client/connect-temporal.ts";
export { ClientError, CodedError };
export type { ConnectorKey, ConnectorView, ListedConnector, ListFilter };

export interface ConnectorsOptions {
  client: Client;
  /** The workers' public keys (a JWK set), with which Braze keys are sealed. Needed only where one is given. */
  sealingKeys?: JSONWebKeySet;
  /** Origins accepted as `rest_endpoint` beside Braze's own hosts, as the workers accept them. Default: none. */
  allowedOrigins?: readonly string[];
  /** How long to wait for a worker's answer, in milliseconds. Default: 5000. */
  answerTimeoutMs?: number;
}

/**
 * SegOps' fields of a connector, all in clear: the key is sealed here, before it leaves the process. A field left out keeps its stored
 * value, null returns it to its default, `api_key: "***"` keeps the stored key.
 */
export type ConnectorSettings = ConfigChange;

/**
 * The same id makes the same request of one that is asked again after its answer was lost: Temporal carries it out once. Left out,
 * every call is a request of its own.
 */
export interface AskedOnce {
  updateId?: string | undefined;
}

/**
 * Every function takes a connector by `{ tenant_slug, segment_id }` and throws a `CodedError` when the connector refuses, with a
 * `code` of the error table, or a `ClientError` when it cannot be asked: `worker_silent`, `temporal_unreachable`,
 * `temporal_namespace_missing`, `search_attributes_missing`, `name_invalid`.
 */
export interface Connectors {
  /**
   * Creates a connector, inactive unless told to `activate` it. `rest_endpoint` and `api_key` are required. A removed one may be
   * created again. Errors: `config_invalid`, naming every field at fault; `connector_exists`.
   */
  create(
    key: ConnectorKey,
    settings: ConnectorSettings,
    options?: { activate?: boolean } & AskedOnce,
  ): Promise<ConnectorView>;
  /**
   * Tells a connector that its segment was recomputed, with SegOps' webhook body as it is: `tenant_slug` and `segment_id` are required.
   * Needs no worker: the signal waits for one. A connector that was terminated comes back; one that was never created ends at once.
   */
  recompute(webhookBody: unknown): Promise<{ workflow_id: string }>;
  /** Changes settings; a run with the new ones follows if the connector is active. Errors: `config_invalid`, `connector_not_found`. */
  configure(key: ConnectorKey, change: ConnectorSettings, once?: AskedOnce): Promise<ConnectorView>;
  /** Starts delivering, with a look at whether SegOps has something new. Error: `connector_not_found`. */
  activate(key: ConnectorKey, once?: AskedOnce): Promise<ConnectorView>;
  /** Stops delivering and cancels a run under way; Braze keeps what it has. Error: `connector_not_found`. */
  deactivate(key: ConnectorKey, once?: AskedOnce): Promise<ConnectorView>;
  /** Runs now, whether or not anything is new. Errors: `connector_inactive`, `connector_not_found`. */
  sync(key: ConnectorKey, once?: AskedOnce): Promise<ConnectorView>;
  /**
   * Writes every member to Braze again, also those whom it once rejected for good: for a Braze that lost or changed what it had.
   * Errors: `connector_inactive`, `connector_not_found`.
   */
  resync(key: ConnectorKey, once?: AskedOnce): Promise<ConnectorView>;
  /**
   * Reads a sample of users (`sample`, 500; at most 10,000) back from Braze in a run now; whoever is shown otherwise than the ledger
   * says is written again. `last_run.verification` tells what came of it. Errors: `connector_inactive`, `connector_not_found`,
   * `config_invalid`.
   */
  verify(key: ConnectorKey, options?: { sample?: number }): Promise<ConnectorView>;
  /**
   * Lets exactly the exits go out that were held under this digest (`pending_removal.digest`), also where newer recomputes hold others
   * by now. Errors: `config_invalid` where no run of late held such a set, `connector_not_found`.
   */
  approveRemoval(key: ConnectorKey, digest: string, once?: AskedOnce): Promise<ConnectorView>;
  /** Removes it; with `cleanup` everyone is unset in Braze first, by a run that this does not wait for. Error: `connector_not_found`. */
  remove(key: ConnectorKey, options?: { cleanup?: boolean } & AskedOnce): Promise<ConnectorView>;
  /** The connector as it is, with the progress of its current run. Error: `connector_not_found`. */
  describe(key: ConnectorKey): Promise<ConnectorView>;
  /** The open connectors by name, from Temporal's visibility: no worker needed, a second or so behind. */
  list(filter?: ListFilter): Promise<ListedConnector[]>;
}

export function createConnectors(options: ConnectorsOptions): Connectors {
  const { client, sealingKeys, allowedOrigins = [], answerTimeoutMs = 5000 } = options;

  /** With start, so that a connector that was terminated comes back from its log. */
  async function update<Args extends unknown[]>(
    definition: UpdateDefinition<ConnectorView, Args>,
    key: ConnectorKey,
    args: Args,
    { updateId }: AskedOnce = {},
  ): Promise<ConnectorView> {
    const start = startOptions(checkedKey(key));
    const startWorkflowOperation = new WithStartWorkflowOperation<ConnectorWorkflow>(
      workflowTypes.connector,
      start,
    );
    // Rejected beside the update when the start fails, which is reported there.
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    return await askWorker(client, answerTimeoutMs, () =>
      client.workflow.executeUpdateWithStart(definition, {
        args,
        startWorkflowOperation,
        ...(updateId ? { updateId } : {}),
      }),
    );
  }

  /** What the log holds of a connector, whether its workflow is open or not: it is started if it is not. */
  async function stored(key: ConnectorKey): Promise<ConnectorView> {
    await askTemporal(client, answerTimeoutMs, () =>
      client.workflow.start<ConnectorWorkflow>(workflowTypes.connector, startOptions(key)),
    );
    const view = await lookAtConnector(client, key, answerTimeoutMs);
    const { last_error_code: code, last_error: words } = view;
    if (!isConfigured(view) && isErrorCode(code)) throw codedError(code, words);
    return view;
  }

  async function refuseIfStored(key: ConnectorKey): Promise<void> {
    const view = await stored(key).catch((error: unknown) => {
      if (error instanceof CodedError && error.code === "connector_not_found") return undefined;
      throw error;
    });
    if (view) throw new CodedError("connector_exists", `${connectorName(key)}, ${view.status}`);
  }

  const connectors: Connectors = {
    async create(given, settings, { activate = false, updateId } = {}) {
      const key = checkedKey(given);
      checkSettings(settings, { isNew: true, allowedOrigins });
      const sealed = await sealSettings(key, settings, settings.rest_endpoint ?? "", sealingKeys);
      await refuseIfStored(key);
      const view = await update(configureUpdate, key, [sealed, { create: true }], { updateId });
      return activate ? await connectors.activate(key) : view;
    },
    async recompute(webhookBody) {
      const key = connectorOfWebhook(webhookBody);
      const start = startOptions(key, parseRecompute(webhookBody, key.segment_id)?.segment_name);
      await askTemporal(client, answerTimeoutMs, () =>
        client.workflow.signalWithStart<ConnectorWorkflow, [unknown?]>(workflowTypes.connector, {
          ...start,
          signal: recomputeSignal,
          signalArgs: [webhookBody],
        }),
      );
      return { workflow_id: start.workflowId };
    },
    async configure(given, change, once) {
      const key = checkedKey(given);
      checkSettings(change, { isNew: false, allowedOrigins });
      const view = await stored(key);
      const restEndpoint = change.rest_endpoint ?? view.config.rest_endpoint;
      const sealed = await sealSettings(key, change, restEndpoint, sealingKeys);
      return await update(configureUpdate, key, [sealed], once);
    },
    activate: (key, once) => update(activateUpdate, key, [], once),
    deactivate: (key, once) => update(deactivateUpdate, key, [], once),
    sync: (key, once) => update(syncUpdate, key, [], once),
    resync: (key, once) => update(resyncUpdate, key, [], once),
    verify: (key, { sample } = {}) => update(verifyUpdate, key, [sample === undefined ? {} : { sample }]),
    approveRemoval: (key, digest, once) => update(approveRemovalUpdate, key, [{ digest }], once),
    remove: (key, { cleanup = false, updateId } = {}) =>
      update(removeUpdate, key, [{ cleanup }], { updateId }),
    async describe(key) {
      return await withProgress(client, await lookAtConnector(client, checkedKey(key), answerTimeoutMs));
    },
    list: (filter = {}) => askTemporal(client, answerTimeoutMs, () => listConnectors(client, filter)),
  };
  return connectors;
}

import { setTimeout as delay } from "node:timers/promises";
import { isGrpcServiceError, type Client, type Connection } from "@temporalio/client";
import { askTemporal } from "../client/ask.ts";
import { ClientError } from "../client.ts";
import { searchAttributes } from "../contracts/temporal-names.ts";
import { CommandError } from "./failure.ts";

/** Temporal's API: enums/v1/common.proto, IndexedValueType. */
const indexedValueTypes = { KEYWORD: 2, INT: 3, DATETIME: 6 } as const;
const typeWords: Record<number, string> = { 2: "Keyword", 3: "Int", 6: "Datetime" };

/** gRPC's number for a thing that is there already. */
const alreadyExists = 6;

const requestTimeoutMs = 10_000;
const readyPollMs = 250;
const readyPatienceMs = 30_000;

/**
 * Registers what is missing and returns when connectors can be started with it: a server takes seconds to hear of its own new attributes.
 * Errors: `setup_refused`; `setup_conflict` where a name is taken by another type.
 */
export async function registerSearchAttributes(
  client: Client,
): Promise<{ added: string[]; present: string[] }> {
  const wanted = Object.fromEntries(
    Object.values(searchAttributes).map(({ name, type }) => [name, indexedValueTypes[type]]),
  );
  const known = await registered(client);
  refuseConflicts(wanted, known);
  const missing = Object.entries(wanted).filter(([name]) => !(name in known));
  if (missing.length > 0) await add(client, Object.fromEntries(missing));
  await untilUsable(client, Object.keys(wanted));
  const added = missing.map(([name]) => name);
  return { added, present: Object.keys(wanted).filter((name) => !added.includes(name)) };
}

async function registered(client: Client): Promise<Record<string, number>> {
  const { namespace } = client.options;
  const { customAttributes } = await askTemporal(client, requestTimeoutMs, () =>
    operatorOf(client).listSearchAttributes({ namespace }),
  );
  return customAttributes ?? {};
}

async function add(client: Client, missing: Record<string, number>): Promise<void> {
  const { namespace } = client.options;
  try {
    await client.withDeadline(Date.now() + requestTimeoutMs, () =>
      operatorOf(client).addSearchAttributes({ namespace, searchAttributes: missing }),
    );
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error;
    const code: number = error.code;
    // Somebody else's setup was a moment faster.
    if (code === alreadyExists) return;
    const names = Object.entries(missing).map(([name, type]) => `${name} (${typeWords[type]})`);
    throw new CommandError(
      "setup_refused",
      `Temporal did not add the search attributes (${error.details}). Have whoever manages the namespace ${namespace} add ${names.join(", ")}.`,
      { cause: error },
    );
  }
}

function refuseConflicts(wanted: Record<string, number>, known: Record<string, number>): void {
  const conflicts = Object.entries(wanted)
    .filter(([name, type]) => name in known && known[name] !== type)
    .map(([name, type]) => `${name} must be ${typeWords[type]}`);
  if (conflicts.length === 0) return;
  throw new CommandError(
    "setup_conflict",
    `the namespace has search attributes of these names and other types: ${conflicts.join(", ")}. Use a namespace of your own.`,
  );
}

/** Counting asks the same list of names as a start does, and leaves no trace. */
async function untilUsable(client: Client, names: string[]): Promise<void> {
  const query = names.map((name) => `${name} IS NULL`).join(" AND ");
  const deadline = Date.now() + readyPatienceMs;
  for (;;) {
    try {
      await askTemporal(client, requestTimeoutMs, () => client.workflow.count(query));
      return;
    } catch (error) {
      const isEarly = error instanceof ClientError && error.code === "search_attributes_missing";
      if (!isEarly || Date.now() >= deadline) throw error;
      await delay(readyPollMs);
    }
  }
}

/** A client made by `connectTemporal` has a whole connection, though its type tells less. */
function operatorOf(client: Client) {
  return (client.connection as Connection).operatorService;
}

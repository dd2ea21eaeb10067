import { Client, Connection } from "@temporalio/client";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import { EnvironmentError } from "../contracts/environment.ts";
import { ClientError } from "./client-error.ts";

/** Short, because a person or a web request waits for it. */
const connectTimeout = "5s";

/** As `connectTemporal`, but connects at the first call and again after each loss: for a process that outlives Temporal's absences. */
export function connectTemporalLazily(): Client {
  const { connectionOptions, namespace } = connectionSettings();
  return new Client({ connection: Connection.lazy({ ...connectionOptions, connectTimeout }), namespace });
}

/**
 * Connects as Temporal's own environment configuration says (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, TLS,
 * profiles). The caller closes `client.connection`. Errors: `EnvironmentError` for settings that cannot be read,
 * `ClientError` `temporal_unreachable`.
 */
export async function connectTemporal(): Promise<Client> {
  const { connectionOptions, namespace } = connectionSettings();
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout });
    return new Client({ connection, namespace });
  } catch (cause) {
    const address = connectionOptions.address ?? "127.0.0.1:7233";
    throw new ClientError("temporal_unreachable", `at ${address}`, { cause });
  }
}

function connectionSettings() {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    // A TOML error goes on to quote the file, which may hold an API key: only its first line is told.
    const [reason] = (error as Error).message.split("\n");
    throw new EnvironmentError([`TEMPORAL_*: Temporal's configuration cannot be read: ${reason}`]);
  }
}

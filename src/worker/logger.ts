import { DefaultLogger, type LogEntry, type LogMetadata } from "@temporalio/worker";
import { pino, type Logger } from "pino";

/** One line of JSON per event on standard output. No user id and no secret is ever given to it. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}

/** Lets the Temporal SDK log through ours, an error by its class and words alone. */
export function sdkLogger(log: Logger): DefaultLogger {
  return new DefaultLogger("INFO", ({ level, message, meta }: LogEntry) => {
    const write = { TRACE: "trace", DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;
    log[write[level]](plain(meta), message);
  });
}

function plain(meta: LogMetadata | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta ?? {})
      .filter(([, value]) => typeof value !== "symbol" && typeof value !== "function")
      .map(([name, value]) => [name, value instanceof Error ? `${value.name}: ${value.message}` : value]),
  );
}

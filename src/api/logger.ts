import { pino, type DestinationStream, type Logger } from "pino";

/**
 * One line of JSON per event. Errors are told by the words that the gateway chose for them, requests by their pattern: whatever else
 * finds its way into a line under one of these names is taken out again.
 */
export function createApiLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        "req",
        "res",
        "headers",
        "authorization",
        "api_key",
        "secret",
        "user_id",
        "*.api_key",
        "*.secret",
      ],
      remove: true,
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

import { heartbeat } from "@temporalio/activity";

/** Well within the heartbeat timeout of 15 s. */
const everyMs = 3_000;

/** Reports every few seconds while the work goes on, so that a long wait is not taken for a dead worker. */
export async function withHeartbeat<T>(
  work: () => Promise<T>,
  details: () => unknown = () => undefined,
): Promise<T> {
  const timer = setInterval(() => heartbeat(details()), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

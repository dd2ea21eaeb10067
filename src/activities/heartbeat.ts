import { heartbeat } from "@temporalio/activity";

/**
 * Reports so often while the work goes on, so that a long wait is not taken for a dead worker. The SDK sends the newest once a
 * second, and it is to be new: what was sent since is sent again after kill -9.
 */
const everyMs = 100;

/**
 * Runs the work and reports its newest details ten times a second, and once more when it fails: the next attempt begins from
 * them. Not at every change: the SDK sends one a second, and encoding thousands costs more than the requests they tell of.
 */
export async function withHeartbeat<T>(
  work: () => Promise<T>,
  details: () => unknown = () => undefined,
): Promise<T> {
  const timer = setInterval(() => heartbeat(details()), everyMs);
  try {
    return await work();
  } catch (error) {
    heartbeat(details());
    throw error;
  } finally {
    clearInterval(timer);
  }
}

import type { Pool } from "undici";
import { trackRequest } from "../src/braze/track.ts";
import { maxTrackBatchSizeUsers } from "../src/contracts/channel.ts";
import type { BrazeControl } from "../sandbox/braze/control.ts";

const inFlight = 64;

/** The same requests with nothing around them: no ledger, no pace, no durability. Answers the seconds it took. */
export async function bareLoop(pool: Pool, key: string, users: number, braze: BrazeControl): Promise<number> {
  await braze.putWorkspace({ key, headerMode: "off", applyDelayMs: 0 });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  let next = 0;
  const lane = async () => {
    while (next < users) {
      const from = next;
      next += maxTrackBatchSizeUsers;
      const ids = Array.from(
        { length: Math.min(maxTrackBatchSizeUsers, users - from) },
        (_, index) => `user-${from + index}`,
      );
      const { body } = trackRequest(ids, {
        attributeName: "segops_segment_7",
        direction: "entered",
        exit_mode: "remove",
        create_missing_users: true,
      });
      const answer = await pool.request({ method: "POST", path: "/users/track", headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 201) throw new Error(`the stand-in answered ${answer.statusCode}`);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (performance.now() - started) / 1000;
}

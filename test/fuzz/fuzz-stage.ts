import { tenant } from "../../sandbox/stack-environment.ts";
import { startStage } from "../integration/harness.ts";

/** A gateway with a worker and the stand-ins behind it, for calls that nobody thought of. */
export interface FuzzStage {
  url: string;
  brazeUrl: string;
  dir: string;
  /** Segments 1 to this exist, each with an active connector; generated ids are folded onto them. */
  segments: number;
  stop(): Promise<void>;
}

const segments = 5;

export async function startFuzzStage(): Promise<FuzzStage> {
  const stage = await startStage();
  try {
    for (let id = 1; id <= segments; id++) {
      await stage.stack.segops.putSegment(tenant, id, {
        name: `Segment ${id}`,
        generate: { count: 10, prefix: `user-${id}-` },
      });
      await stage.stack.segops.recompute(tenant, id, { webhook: false });
    }
    await stage.startWorker();
    for (let id = 1; id <= segments; id++) {
      const settings = { rest_endpoint: stage.stack.brazeUrl, api_key: "braze-key" };
      await stage.connectors.create({ tenant_slug: tenant, segment_id: id }, settings, { activate: true });
    }
    const { url } = await stage.stack.startGateway({ RATE_LIMIT_PER_MINUTE: "1000000" });
    return { url, brazeUrl: stage.stack.brazeUrl, dir: stage.dir, segments, stop: () => stage.stop() };
  } catch (error) {
    await stage.stop();
    throw error;
  }
}

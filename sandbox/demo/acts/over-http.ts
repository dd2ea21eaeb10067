import { gatewayKey, tenant } from "../../stack-environment.ts";
import type { Act, Claim, Played } from "../act.ts";
import { ids } from "../people.ts";
import { connector, type World } from "../world.ts";

const entering = 1000;
const exiting = ids("later-", 0, 500);

export const overHttp: Act = {
  title: "Driven by HTTP, as SegOps' documentation says",
  story: `A gateway is started, and the connector is removed; Braze keeps what it has. SegOps' own request creates it anew, inactive; a PATCH \
activates it; and now SegOps' signed webhook reaches it through the gateway. What it knew of Braze is still in its log.`,
  async play(world) {
    const gateway = await world.startGateway();
    const removed = await call(world, gateway, "DELETE", `/api/activations/${connector.segment_id}/`);
    const created = await call(world, gateway, "POST", "/api/activations/", {
      segment: connector.segment_id,
      connector_type: "braze",
      config: { rest_endpoint: world.stack.brazeUrl, api_key: world.brazeKey },
    });
    const activated = await call(world, gateway, "PATCH", `/api/activations/${connector.segment_id}/`, {
      status: "active",
    });
    const { computedAt } = await world.recompute({
      exit: [...exiting],
      enterGenerate: { count: entering, prefix: "http-" },
    });
    await world.delivered(computedAt, entering + exiting.length);
    return (played) => claims(played, [removed, created, activated]);
  },
};

type Answer = { status: number; body: { status?: string; config?: { api_key?: string } } | undefined };

/** Shows the call as somebody would type it, and answers what came of it. */
async function call(
  world: World,
  gateway: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const shown = body ? ` -H "Content-Type: application/json" -d '${masked(body)}'` : "";
  world.story.command(`curl -X ${method} ${gateway}${path} -H "Authorization: ApiKey sk_…"${shown}`);
  world.waitingFor = `the gateway to answer ${method} ${path}`;
  const answer = await fetch(`${gateway}${path}`, {
    method,
    headers: {
      authorization: `ApiKey ${gatewayKey}`,
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? (JSON.parse(text) as Answer["body"]) : undefined };
}

function masked(body: object): string {
  return JSON.stringify(body, (name, value: unknown) => (name === "api_key" ? "your-braze-rest-key" : value));
}

function claims({ entered, exited }: Played, [removed, created, activated]: Answer[]): Claim[] {
  return [
    {
      says: `DELETE answered 204, POST 201 with status inactive and the key as ***, PATCH 200 with status active`,
      holds:
        removed?.status === 204 &&
        created?.status === 201 &&
        created.body?.status === "inactive" &&
        created.body.config?.api_key === "***" &&
        activated?.status === 200 &&
        activated.body?.status === "active",
    },
    {
      says: `the webhook of ${tenant} was verified and delivered exactly ${entered} who entered and ${exited} who exited`,
      holds: entered === entering && exited === exiting.length,
    },
  ];
}

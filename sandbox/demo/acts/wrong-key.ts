import type { ConnectorView } from "../../../src/client.ts";
import type { Act, Claim, Played } from "../act.ts";
import { ids } from "../people.ts";
import { count } from "../story.ts";

const entering = 1000;
const exiting = ids("user-", 20_000, 500);

export const wrongKey: Act = {
  title: "A wrong key",
  story: `Somebody deletes the API key in Braze. The next recompute turns the connector to error, with words that say what to do. \
With a new key it goes on where it stood.`,
  async play(world) {
    const { braze } = world.stack;
    const rejected = world.brazeKey;
    await braze.putWorkspace({ key: rejected, revoked: true });
    const before = await world.brazeStats();
    await world.recompute({ exit: exiting, enterGenerate: { count: entering, prefix: "later-" } });
    const view = await world.look(
      { until: "the connector to turn to error", users: 0 },
      ({ status }) => status === "error",
    );
    const after = await world.brazeStats();
    const changed = after.objectsAccepted - before.objectsAccepted;
    world.story.say(`Status ${view.status}, ${view.last_error_code}: ${view.last_error}`);
    world.brazeKey = "braze-key-made-anew";
    await braze.putWorkspace({ key: world.brazeKey, sharesWorkspaceOf: rejected });
    const file = await world.brazeKeyFile("new-braze-key.txt");
    await world.command("connector", "configure", "acme/7", "--api-key-file", file);
    await world.look(
      { until: "the rest to be delivered", users: entering + exiting.length },
      ({ status, last_run, current_run }) => {
        return status === "active" && !current_run && last_run?.outcome === "clean";
      },
    );
    return (played) => claims(view, changed, played);
  },
};

function claims(
  { status, last_error_code: code, last_error: words }: ConnectorView,
  changed: number,
  { entered, exited, outcomes }: Played,
): Claim[] {
  return [
    {
      says: `the connector turned to ${status} with ${code}, and said what to do`,
      holds: status === "error" && code === "braze_key_rejected" && words.includes("configure"),
    },
    { says: "with the wrong key nobody was changed in Braze", holds: changed === 0 },
    {
      says: `with the new one ${count(entered)} entered and ${count(exited)} exited (runs: ${outcomes.join(", ")})`,
      holds: entered === entering && exited === exiting.length && outcomes.join() === "failed,clean",
    },
  ];
}

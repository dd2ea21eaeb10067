import type { Page } from "playwright-core";
import type { Stage } from "../integration/harness.ts";
import { eventually } from "../integration/waiting.ts";
import { ids, type TestConnector } from "../integration/test-connector.ts";
import { signIn } from "./open-browser.ts";
import type { PageStage } from "./page-stage.ts";

/** Every screen of the page, with something to see on it. */

/** Connectors in every state there is. */
export interface Cast {
  delivered: TestConnector;
  held: TestConnector;
  failed: TestConnector;
  inactive: TestConnector;
  running: TestConnector;
}

export interface Scene {
  name: string;
  /** Brings a page there from the scene before it. */
  open: (page: Page, cast: Cast, on: PageStage) => Promise<void>;
  /** What a picture of it shows, by the heading of a section; the whole screen when left out. */
  section?: string;
}

/** All at once: each waits mostly for its worker. */
export async function startCast({ stage }: PageStage): Promise<Cast> {
  const [delivered, held, failed, inactive, running] = await Promise.all([
    startDelivered(stage),
    startHeld(stage),
    startFailed(stage),
    startInactive(stage),
    startRunning(stage),
  ]);
  return { delivered, held, failed, inactive, running };
}

async function startDelivered(stage: Stage): Promise<TestConnector> {
  const connector = stage.connector();
  const blockedIds = ["user-3007", "user-3008"];
  await connector.start({ name: "High LTV buyers", members: ids(3482) }, {}, { blockedIds });
  await connector.ran(1);
  await connector.recompute({ exitFirst: 12, enter: ["ada", "ben"] });
  await connector.ran(2);
  await stage.connectors.verify(connector.key, { sample: 500 });
  await connector.ran(3);
  return connector;
}

async function startHeld(stage: Stage): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start({ name: "Newsletter readers", members: ids(400) }, { max_removal_percent: 30 });
  await connector.ran(1);
  await connector.recompute({ exitFirst: 240 });
  await connector.ran(2);
  return connector;
}

async function startFailed(stage: Stage): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start(
    { name: "Lapsed buyers", members: ids(50) },
    { api_key: "a-key-of-another-workspace" },
  );
  await connector.ran(1);
  return connector;
}

async function startInactive(stage: Stage): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.segment({ name: "Cart abandoners", members: ids(10) });
  await connector.compute();
  await connector.create({}, { activate: false });
  return connector;
}

/** Slow enough to be looked at for minutes. */
async function startRunning(stage: Stage): Promise<TestConnector> {
  const connector = stage.connector();
  const segment = { name: "All customers", generate: { count: 60_000, prefix: "user-" } };
  await connector.start(segment, { requests_per_second: 2 });
  await eventually("a run shows how far it is", async () => (await etaOf(connector)) !== null, {
    everyMs: 500,
  });
  return connector;
}

async function etaOf(connector: TestConnector): Promise<number | null> {
  const { current_run: run } = await connector.describe();
  return run?.progress?.eta_seconds ?? null;
}

export const scenes: readonly Scene[] = [
  {
    name: "sign-in",
    open: async (page) => {
      await page.getByRole("button", { name: "Sign in" }).waitFor();
    },
  },
  {
    name: "sign-in-refused",
    open: async (page) => {
      await page.getByLabel("API key").fill("sk_test_of_nobody_at_all");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("does not know this key").waitFor();
    },
  },
  {
    name: "activations-empty",
    open: async (page, _cast, { emptyTenantsKey }) => {
      await signIn(page, emptyTenantsKey);
      await page.getByText("No connectors yet.").waitFor();
    },
  },
  {
    name: "activations",
    open: async (page, _cast, { apiKey }) => {
      await page.getByRole("button", { name: "Sign out" }).click();
      await signIn(page, apiKey);
      await page.getByRole("link", { name: "Lapsed buyers" }).waitFor();
    },
  },
  {
    name: "new-connector",
    open: async (page) => {
      await go(page, "/activations/new");
      await page.getByRole("button", { name: "Create" }).waitFor();
    },
  },
  {
    name: "new-connector-errors",
    open: async (page) => {
      await page.getByText("Advanced settings").click();
      await page.getByLabel("Segment (required)").fill("seven");
      await page.getByLabel("Users per request").fill("500");
      await page.getByRole("button", { name: "Create" }).click();
      await page.getByText("must be at most 75").waitFor();
    },
  },
  {
    name: "connector",
    open: async (page, { delivered }) => {
      await goTo(page, delivered);
      await page.getByText("braze_user_blocked").waitFor();
      await page.getByText("500 users read back, none wrong").waitFor();
    },
  },
  {
    name: "connector-user",
    open: async (page, { delivered }) => {
      await goTo(page, delivered);
      await page.getByLabel("User id").fill("user-3007");
      await page.getByRole("button", { name: "Look up" }).click();
      await page.getByText("SegOps names the user").waitFor();
    },
    section: "Look up a user",
  },
  {
    name: "connector-running",
    open: async (page, { running }) => {
      await goTo(page, running);
      await page.getByText("to go").waitFor();
    },
  },
  {
    name: "connector-error",
    open: async (page, { failed }) => {
      await goTo(page, failed);
      await page.getByText("The last sync failed").waitFor();
    },
  },
  {
    name: "connector-inactive",
    open: async (page, { inactive }) => {
      await goTo(page, inactive);
      await page.getByText("No runs yet.").waitFor();
    },
  },
  {
    name: "connector-held",
    open: async (page, { held }) => {
      await goTo(page, held);
      await page.getByText("240 users would be removed").waitFor();
    },
  },
  {
    name: "approve",
    open: async (page) => {
      await page.getByRole("button", { name: "Approve removal" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "settings",
    open: async (page, { delivered }) => {
      await go(page, `/activations/${delivered.id}/settings`);
      await page.getByRole("button", { name: "Save" }).waitFor();
    },
  },
  {
    name: "delete",
    open: async (page, { delivered }) => {
      await goTo(page, delivered);
      await page.getByRole("button", { name: "Delete" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "not-found",
    open: async (page) => {
      await go(page, "/activations/999999");
      await page.getByRole("heading", { name: "No such connector" }).waitFor();
    },
  },
];

/** Opens a scene, and waits until nothing of it is still being loaded. */
export async function show({ open }: Scene, page: Page, cast: Cast, on: PageStage): Promise<void> {
  await open(page, cast, on);
  await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
}

/** As a person who types an address: what is behind the # changes, the page stays. */
async function go(page: Page, place: string): Promise<void> {
  const url = new URL(page.url());
  url.hash = place;
  await page.goto(url.href);
}

async function goTo(page: Page, connector: TestConnector): Promise<void> {
  await go(page, `/activations/${connector.id}`);
}

import type { Browser, Page } from "playwright-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ids, type TestConnector } from "../integration/test-connector.ts";
import { openPage, signIn, type WatchedPage } from "./open-browser.ts";
import type { OpenedStage } from "./open-page-stage.ts";
import { temporalUiUrl, type PageStage } from "./page-stage.ts";

/** What a person does on the page, each in a browser profile of its own. */
export function stepsTests(opened: () => OpenedStage): void {
  let on: PageStage;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(() => {
    ({ on, browser } = opened());
  });
  beforeEach(async () => {
    watched = await openPage(browser, on.url);
    page = watched.page;
  });
  afterEach(async () => {
    await page.context().close();
    if (watched.faults.length > 0) throw new Error(`The page is at fault:\n${watched.faults.join("\n")}`);
  });

  /** A computed segment and a workspace, and nothing between them yet. */
  async function unconnected(name: string, count = 20): Promise<TestConnector> {
    const connector = on.stage.connector();
    await connector.workspace({});
    await connector.segment({ name, members: ids(count) });
    await connector.compute();
    return connector;
  }

  /** SegOps' steps 3 to 5, as its documentation walks through them. */
  async function fillIn(connector: TestConnector, apiKey: string): Promise<void> {
    await page.getByRole("link", { name: "+ New Connector" }).click();
    await page.getByLabel("Connector type").selectOption("Braze");
    await page.getByLabel("Segment (required)").fill(String(connector.id));
    await page.getByLabel("REST endpoint (required)").selectOption("Another address …");
    await page.getByLabel("Address of the REST endpoint").fill(on.stage.stack.brazeUrl);
    await page.getByLabel("API key").fill(apiKey);
    await page.getByRole("button", { name: "Create" }).click();
  }

  test("SegOps' steps 3 to 6, click by click, deliver a segment to Braze", async () => {
    const connector = await unconnected("Spring sale");
    await signIn(page, on.apiKey);
    await fillIn(connector, connector.brazeKey);
    const active = page.getByRole("switch", { name: "Active" });
    await active.waitFor();
    expect(await active.isChecked()).toBe(false);
    expect(await connector.describe()).toMatchObject({ status: "inactive", last_run: null });

    await active.click();
    await page.getByText("is active.").waitFor();
    await connector.ran(1);
    await page.getByRole("heading", { name: "Spring sale" }).waitFor();
    const channel = page.getByRole("row").filter({ hasText: `attribute ${connector.attribute}` });
    await channel.getByRole("cell", { name: "20", exact: true }).waitFor();
    await page.getByRole("row").filter({ hasText: "clean" }).waitFor();
    expect(await connector.inBraze()).toEqual(ids(20).toSorted());

    await page.getByRole("link", { name: "Activations" }).click();
    const row = page.getByRole("row").filter({ hasText: "Spring sale" });
    await row.getByText("active", { exact: true }).waitFor();
    await row.getByRole("cell", { name: "20", exact: true }).waitFor();
    await row.getByRole("switch").click();
    await row.getByText("inactive", { exact: true }).waitFor();
    expect(await connector.describe()).toMatchObject({ status: "inactive" });
  });

  test("a key that the gateway does not know is refused in words, and no key outlives the session", async () => {
    await page.getByLabel("API key").fill("sk_test_of_nobody_at_all");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("does not know this key").waitFor();
    expect(await page.evaluate("document.activeElement.name")).toBe("key");

    await signIn(page, on.apiKey);
    await page.reload();
    await page.getByRole("heading", { name: "Activations" }).waitFor();
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain("sk_");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).not.toContain("sk_");
  });

  test("what the gateway refuses is told at its field, and the first such field has the focus", async () => {
    await signIn(page, on.apiKey);
    await page.getByRole("link", { name: "+ New Connector" }).click();
    await page.getByLabel("Segment (required)").fill("seven");
    await page.getByText("Advanced settings").click();
    await page.getByLabel("Users per request").fill("500");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByText("must be at most 75").waitFor();
    const segment = page.getByLabel("Segment (required)");
    expect(await page.evaluate("document.activeElement.name")).toBe("segment");
    expect(await segment.getAttribute("aria-invalid")).toBe("true");
    const described = (await segment.getAttribute("aria-describedby"))?.split(" ")[0] ?? "";
    expect(await page.locator(`[id="${described}"]`).textContent()).toContain("must be a");
    expect(await page.getByLabel("API key").getAttribute("aria-invalid")).toBe("true");
  });

  test("an error is shown with what to do, and mended by another key", async () => {
    const connector = await unconnected("Long asleep");
    await signIn(page, on.apiKey);
    await fillIn(connector, "a-key-that-braze-does-not-know");
    await page.getByRole("switch", { name: "Active" }).click();
    await page.getByText("The last sync failed").waitFor();
    const notice = page.getByRole("region", { name: "The last sync failed" });
    await notice.getByText("Braze answered 401").waitFor();
    await notice.getByText("What to do: Check that the key").waitFor();

    await notice.getByRole("link", { name: "its settings" }).click();
    const key = page.getByLabel("API key");
    expect(await key.inputValue()).toBe("");
    await key.fill(connector.brazeKey);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Settings saved.").waitFor();
    await page.getByRole("row").filter({ hasText: "clean" }).waitFor();
    await notice.waitFor({ state: "detached" });
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  });

  test("a held removal is approved in a dialog that says what will happen, and exactly that set leaves", async () => {
    const connector = on.stage.connector();
    await connector.start({ name: "Weekly readers", members: ids(400) }, { max_removal_percent: 30 });
    await connector.ran(1);
    await connector.recompute({ exitFirst: 240 });
    await connector.ran(2);
    await signIn(page, on.apiKey);
    await page.getByRole("link", { name: "Weekly readers" }).click();
    const approve = page.getByRole("button", { name: "Approve removal" });
    await approve.click();
    const dialog = page.getByRole("dialog", { name: "Remove 240 users?" });
    await dialog.getByText("will no longer be members of").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.textContent")).toContain("Approve removal");
    expect((await connector.inBraze()).length).toBe(400);

    await approve.click();
    await dialog.getByRole("button", { name: "Remove 240 users" }).click();
    await page.getByText("Approved: 240 users").waitFor();
    await connector.ran(3);
    await approve.waitFor({ state: "detached" });
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
    const history = page.getByRole("row").filter({ hasText: "approved" }).getByRole("link");
    const path = `/namespaces/default/workflows/${encodeURIComponent(`${connector.workflowId}/run/3`)}`;
    expect(await history.getAttribute("href")).toBe(`${temporalUiUrl}${path}`);
  });

  test("rejected users are counted by reason; one user's timeline is shown on demand, page by page, and the id is in no address and no storage", async () => {
    const connector = on.stage.connector();
    const workspace = { blockedIds: ["ben"], permissions: ["users.track"] };
    await connector.start({ name: "Full baskets", members: ["ada", "ben"] }, {}, workspace);
    await connector.ran(1);
    await on.stage.connectors.verify(connector.key);
    await connector.ran(2);
    // The gateway's own pages, only shorter: nobody need wait for 21 runs.
    await page.route(/\/explain\//, (route) => route.continue({ url: `${route.request().url()}&limit=1` }));
    await signIn(page, on.apiKey);
    await page.getByRole("link", { name: "Full baskets" }).click();
    const reasons = page.getByRole("table", { name: "Rejected users, by reason" });
    await reasons.getByText("braze_user_blocked").waitFor();
    const verified = page.getByRole("row").filter({ hasText: "none read back: the key may not read users" });
    expect(await verified.getByRole("cell").first().textContent()).toMatch(/^2 /);
    expect(await page.content()).not.toContain("ben");

    await page.getByLabel("User id").fill("ben");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByText("SegOps names the user as a member.").waitFor();
    await page.getByText("Braze does not show the user as a member: Braze").waitFor();
    const runs = page.locator(".timeline").getByText(/^Run \d+$/);
    expect(await runs.allTextContents()).toEqual(["Run 2"]);
    const older = page.getByRole("button", { name: "Older runs of this user" });
    await older.click();
    await page.getByText("Run 1", { exact: true }).waitFor();
    await older.waitFor({ state: "detached" });
    expect(await runs.allTextContents()).toEqual(["Run 2", "Run 1"]);
    const kept = await page.evaluate("JSON.stringify([location.href, localStorage, sessionStorage])");
    expect(kept).not.toContain("ben");
  });

  test("what no worker takes in time is asked again by the page itself, as the gateway says", async () => {
    const connector = await unconnected("Slow workers");
    await connector.create({}, { activate: false });
    const asked: string[] = [];
    await page.route(/\/api\/activations\/\d+\/$/, async (route) => {
      const isFirst = route.request().method() === "PATCH" && asked.push("PATCH") === 1;
      if (!isFirst) return await route.continue();
      await route.fulfill({ status: 503, headers: { "retry-after": "1" }, json: { detail: "Not now." } });
    });
    await signIn(page, on.apiKey);
    await page.getByRole("switch", { name: `Segment ${connector.id} active`, exact: true }).click();
    await page.getByText("is active.").waitFor();
    // Twice, or once more where the worker is slow indeed.
    expect(asked.length).toBeGreaterThan(1);
    expect(await connector.describe()).toMatchObject({ status: "active" });
  });

  test("a connector is created, activated and deleted without a mouse", async () => {
    const connector = await unconnected("Keyboard users");
    await signIn(page, on.apiKey);
    await page.getByRole("link", { name: "+ New Connector" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New connector" }).waitFor();
    expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type(String(connector.id));
    await page.keyboard.press("Tab");
    await page.keyboard.type("Another");
    await page.keyboard.press("Tab");
    await page.keyboard.type(on.stage.stack.brazeUrl);
    await page.keyboard.press("Tab");
    await page.keyboard.type(connector.brazeKey);
    await page.keyboard.press("Enter");
    await page.getByRole("switch", { name: "Active" }).waitFor();
    // Past the way back and the switch's neighbours: the heading had the focus.
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.getAttribute('role')")).toBe("switch");
    await page.keyboard.press("Space");
    await connector.ran(1);
    await page.getByRole("heading", { name: "Keyboard users" }).waitFor();
    await page.getByRole("button", { name: "Delete" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Delete" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Keyboard users is deleted.").waitFor();
    expect(await page.getByRole("link", { name: "Keyboard users" }).count()).toBe(0);
  });
}

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { seriousFindings } from "./accessibility.ts";
import { openBrowser, openPage } from "./open-browser.ts";
import { startPageStage, type PageStage } from "./page-stage.ts";
import { scenes, startCast } from "./scenes.ts";

const executable = inject("chromium");
const desktop = { width: 1200, height: 800 };
const tablet = { width: 960, height: 720 };
const phone = { width: 390, height: 800 };

describe.skipIf(!executable)("every screen", () => {
  let on: PageStage;
  let browser: Browser;
  let cast: Awaited<ReturnType<typeof startCast>>;

  beforeAll(async () => {
    on = await startPageStage();
    cast = await startCast(on);
    browser = await openBrowser(executable ?? "");
  });
  afterAll(async () => {
    await browser?.close();
    await on?.stop();
  });

  test.each([
    ["light", desktop],
    ["dark", desktop],
    ["light", tablet],
    ["dark", phone],
  ] as const)(
    "in %s has no serious finding of axe-core, no console error, no request to elsewhere, and fits its window (%o)",
    async (colorScheme, viewport) => {
      const { page, faults } = await openPage(browser, on.url, { colorScheme, viewport });
      for (const { name, open } of scenes) {
        await open(page, cast, on);
        const found = await seriousFindings(page);
        expect(found, `axe-core on ${name}`).toEqual([]);
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        expect(width, `the width of ${name}`).toBeLessThanOrEqual(viewport.width);
      }
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test("the theme that a person chooses stands against the system's", async () => {
    const { page } = await openPage(browser, on.url, { colorScheme: "light" });
    const ground = "getComputedStyle(document.documentElement).backgroundColor";
    const light = await page.evaluate(ground);
    await page.getByLabel("Colours").selectOption("Dark");
    const dark = await page.evaluate(ground);
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.evaluate(ground)).toBe(dark);
    await page.getByLabel("Colours").selectOption("System");
    expect(await page.evaluate(ground)).toBe(light);
    await page.context().close();
  });
});

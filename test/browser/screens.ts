import { beforeAll, expect, test } from "vitest";
import { seriousFindings } from "./accessibility.ts";
import { openPage } from "./open-browser.ts";
import type { OpenedStage } from "./open-page-stage.ts";
import { scenes, show, type Cast } from "./scenes.ts";

const desktop = { width: 1200, height: 800 };
const tablet = { width: 960, height: 720 };
const phone = { width: 390, height: 800 };

/** All of axe-core is slow: in its second layout a screen is looked at by the one rule that theme and layout decide together. */
const themeRules = ["color-contrast"];

export function screensTests(opened: () => OpenedStage): void {
  let cast: Cast;
  beforeAll(async () => {
    cast = await opened().cast;
  });

  test.concurrent.each([
    ["light", desktop, phone],
    ["dark", phone, desktop],
  ] as const)(
    "in %s has no serious finding of axe-core, no console error, no request to elsewhere, and fits desktop, tablet and phone",
    async (colorScheme, first, second) => {
      const { on, browser } = opened();
      const { page, faults } = await openPage(browser, on.url, { colorScheme, viewport: first });
      for (const scene of scenes) {
        const { name } = scene;
        await show(scene, page, cast, on);
        expect(await seriousFindings(page), `axe-core on ${name}`).toEqual([]);
        for (const viewport of [tablet, second, first]) {
          await page.setViewportSize(viewport);
          const width = await page.evaluate<number>("document.documentElement.scrollWidth");
          expect(width, `the width of ${name}`).toBeLessThanOrEqual(viewport.width);
          if (viewport !== second) continue;
          expect(await seriousFindings(page, themeRules), `contrast on ${name}`).toEqual([]);
        }
      }
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test("the theme that a person chooses stands against the system's", async () => {
    const { on, browser } = opened();
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
}

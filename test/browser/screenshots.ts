import { mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { findChromium, noChromium } from "./find-chromium.ts";
import { openPage } from "./open-browser.ts";
import { openPageStage } from "./open-page-stage.ts";
import { scenes, show, type Scene } from "./scenes.ts";

/** `npm run screenshots`: every screen, light and dark, and some as a phone shows them, into docs/screenshots. */

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const desktop = { width: 960, height: 720 };
const phone = { width: 390, height: 844 };
const margin = 16;
const onPhone = ["activations", "connector-held", "new-connector"];

const executable = findChromium();
if (!executable) throw new Error(noChromium);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const { on, browser, cast, close } = await openPageStage(executable);
try {
  const players = await cast;
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(browser, on.url, { colorScheme, viewport: desktop });
    for (const scene of scenes) {
      await show(scene, page, players, on);
      await picture(page, scene, `${scene.name}-${colorScheme}`);
      if (!onPhone.includes(scene.name)) continue;
      await page.setViewportSize(phone);
      await page.screenshot({ path: pathOf(`${scene.name}-phone-${colorScheme}`), animations: "disabled" });
      await page.setViewportSize(desktop);
    }
    await page.context().close();
  }
} finally {
  await close();
}

async function picture(page: Page, { section }: Scene, name: string): Promise<void> {
  const options = { path: pathOf(name), animations: "disabled" } as const;
  if (section) {
    const heading = page.getByRole("heading", { name: section });
    const box = await page.locator("section").filter({ has: heading }).boundingBox();
    if (!box) throw new Error(`nothing is seen of ${section}`);
    const scrolled = await page.evaluate<number>("scrollY");
    const clip = {
      x: box.x - margin,
      y: box.y + scrolled - margin,
      width: box.width + 2 * margin,
      height: box.height + 2 * margin,
    };
    await page.screenshot({ ...options, fullPage: true, clip });
    return;
  }
  const isDialog = (await page.getByRole("dialog").count()) > 0;
  await page.screenshot({ ...options, fullPage: !isDialog });
}

function pathOf(name: string): string {
  return `${folder}${name}.png`;
}

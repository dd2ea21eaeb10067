import { mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { findChromium, noChromium } from "./find-chromium.ts";
import { openBrowser, openPage } from "./open-browser.ts";
import { startPageStage } from "./page-stage.ts";
import { scenes, startCast } from "./scenes.ts";

/** `npm run screenshots`: every screen, light and dark, into docs/screenshots. */

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

const viewport = { width: 960, height: 720 };

const executable = findChromium();
if (!executable) throw new Error(noChromium);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const on = await startPageStage();
try {
  const cast = await startCast(on);
  const browser = await openBrowser(executable);
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(browser, on.url, { colorScheme, viewport });
    for (const { name, open } of scenes) {
      await open(page, cast, on);
      const isDialog = (await page.getByRole("dialog").count()) > 0;
      await page.screenshot({
        path: `${folder}${name}-${colorScheme}.png`,
        fullPage: !isDialog,
        animations: "disabled",
      });
    }
    await page.context().close();
  }
  await browser.close();
} finally {
  await on.stop();
}

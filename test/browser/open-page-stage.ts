import type { Browser } from "playwright-core";
import { openBrowser } from "./open-browser.ts";
import { startPageStage, type PageStage } from "./page-stage.ts";
import { startCast, type Cast } from "./scenes.ts";

/** What the tests of the page share: to start it takes longer than most of them. */
export interface OpenedStage {
  on: PageStage;
  browser: Browser;
  /** Still on its way to their places while the first tests run. */
  cast: Promise<Cast>;
  close: () => Promise<void>;
}

export async function openPageStage(chromium: string): Promise<OpenedStage> {
  const browser = await openBrowser(chromium);
  try {
    const on = await startPageStage();
    const cast = startCast(on);
    // Whoever waits for it hears of it; with nobody waiting it is no reason to end the process.
    cast.catch(() => undefined);
    const close = async () => {
      await browser.close();
      await on.stop();
    };
    return { on, browser, cast, close };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

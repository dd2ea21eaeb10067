import type { TestProject } from "vitest/node";
import { findChromium, noChromium } from "./find-chromium.ts";

declare module "vitest" {
  interface ProvidedContext {
    chromium: string | null;
  }
}

/** Says once why the tests of this project are skipped, where they are. */
export default function setup(project: TestProject): void {
  const chromium = findChromium() ?? null;
  if (!chromium) console.log(`The page's tests are skipped, ${noChromium}.`);
  project.provide("chromium", chromium);
}

import { afterAll, beforeAll, beforeEach, describe, inject } from "vitest";
import { openPageStage, type OpenedStage } from "./open-page-stage.ts";
import { screensTests } from "./screens.ts";
import { stepsTests } from "./steps.ts";

const chromium = inject("chromium");

// One file, so that one stage serves all of them.
describe.skipIf(!chromium)("the page", () => {
  let opened: OpenedStage | undefined;
  beforeAll(async () => {
    opened = await openPageStage(chromium ?? "");
  });
  afterAll(() => opened?.close());
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(opened?.on.lastWords()));
  });

  const stage = () => {
    if (!opened) throw new Error("the stage was not opened");
    return opened;
  };
  describe("step by step", () => {
    stepsTests(stage);
  });
  describe("every screen", () => {
    screensTests(stage);
  });
});

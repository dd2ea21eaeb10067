import { expect, test } from "vitest";
import { writeScript, type RoundScript } from "../../chaos/script.ts";
import { shrink } from "../../chaos/shrink.ts";

const script = writeScript(7, 3);

test("a script shrinks to the fault and the work that it is red with", async () => {
  const [fault, work] = [script.faults[5], script.work[2]];
  if (!fault || !work) throw new Error("the script is shorter than this test takes it to be");
  const isRed = async ({ faults, work: all }: RoundScript) => faults.includes(fault) && all.includes(work);
  const smallest = await shrink(script, isRed, 200);
  expect(smallest).toEqual({ ...script, faults: [fault], work: [work] });
});

test("it plays no more rounds than it may, and answers the smallest that was red", async () => {
  let played = 0;
  const smallest = await shrink(script, async ({ work }) => ++played > 0 && work.length > 0, 3);
  expect(played).toBe(3);
  expect(smallest.faults.length + smallest.work.length).toBeLessThan(
    script.faults.length + script.work.length,
  );
});

test("a script that is red only as a whole stays whole", async () => {
  expect(await shrink(script, async () => false, 500)).toEqual(script);
});

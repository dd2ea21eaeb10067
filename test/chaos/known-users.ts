import type { SegmentInput } from "../../sandbox/segops/control-shapes.ts";

/** Has Braze know people before any connector speaks of them, as it knows whoever once used an app. */
export async function knowUsers(
  brazeUrl: string,
  brazeKey: string,
  segments: readonly SegmentInput[],
): Promise<void> {
  const ids = [...new Set(["user", "flap"].flatMap((prefix) => generated(`${prefix}-`, 0, 3_000)))];
  for (const { generate, members = [] } of segments) {
    ids.push(...members, ...(generate ? generated(generate.prefix, generate.from ?? 0, generate.count) : []));
  }
  for (let from = 0; from < ids.length; from += 75) {
    const attributes = ids.slice(from, from + 75).map((external_id) => ({ external_id, known_before: true }));
    const answer = await fetch(`${brazeUrl}/users/track`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${brazeKey}` },
      body: JSON.stringify({ attributes }),
    });
    // Some of them are blocked, which is said inside a 201.
    if (answer.status !== 201)
      throw new Error(`Braze answered ${answer.status} to a first word of its users`);
    await answer.text();
  }
}

function generated(prefix: string, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${from + index}`);
}

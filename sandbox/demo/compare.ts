/** One user whom Braze does not show as SegOps says. */
interface Difference {
  userId: string;
  what: "missing in Braze" | "in Braze, not in SegOps" | "in Braze, though it should reject it";
}

export interface Comparison {
  /** Members that Braze shows. */
  same: number;
  /** Members that Braze is known to reject and does not show, in byte order. */
  rejected: string[];
  differing: number;
  /** The first few of them. */
  examples: Difference[];
}

type Ids = AsyncIterable<string> | Iterable<string>;

const shownExamples = 5;

/**
 * Compares two memberships user by user, byte for byte, as they stream in. Both come in the order of their UTF-8 bytes without
 * repeats; throws where one does not, because the comparison would then prove nothing.
 */
export async function compareMembers(
  segops: Ids,
  braze: Ids,
  rejectable: ReadonlySet<string>,
): Promise<Comparison> {
  const result: Comparison = { same: 0, rejected: [], differing: 0, examples: [] };
  const differs = (userId: string, what: Difference["what"]): void => {
    result.differing += 1;
    if (result.examples.length < shownExamples) result.examples.push({ userId, what });
  };
  for await (const { userId, inSegops, inBraze } of merge(
    ordered(segops, "SegOps"),
    ordered(braze, "Braze"),
  )) {
    if (!inSegops) differs(userId, "in Braze, not in SegOps");
    else if (inBraze && rejectable.has(userId)) differs(userId, "in Braze, though it should reject it");
    else if (inBraze) result.same += 1;
    else if (rejectable.has(userId)) result.rejected.push(userId);
    else differs(userId, "missing in Braze");
  }
  return result;
}

interface Merged {
  userId: string;
  inSegops: boolean;
  inBraze: boolean;
}

async function* merge(segops: AsyncIterator<string>, braze: AsyncIterator<string>): AsyncGenerator<Merged> {
  let [left, right] = [await segops.next(), await braze.next()];
  while (!left.done || !right.done) {
    const order = left.done ? 1 : right.done ? -1 : byteOrder(left.value, right.value);
    const userId: string = order <= 0 ? left.value : right.value;
    yield { userId, inSegops: order <= 0, inBraze: order >= 0 };
    if (order <= 0) left = await segops.next();
    if (order >= 0) right = await braze.next();
  }
}

async function* ordered(ids: Ids, where: string): AsyncGenerator<string> {
  let last: string | undefined;
  for await (const id of ids) {
    if (last !== undefined && byteOrder(last, id) >= 0)
      throw new Error(`${where} did not list its members in the order of their bytes, each once`);
    last = id;
    yield id;
  }
}

function byteOrder(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

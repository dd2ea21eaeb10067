// UTF-16 puts surrogates (U+10000 and above) below U+E000..U+FFFF; UTF-8 puts them above. Shifting both ranges
// around makes the comparison of units the comparison of code points, which is the order of the UTF-8 bytes.
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function compareBytewise(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** A copy of `ids` in the order of their UTF-8 bytes. */
export function sortBytewise(ids: Iterable<string>): string[] {
  return [...ids].sort(compareBytewise);
}

/** Results go to stdout, all else to stderr, so that `--json` leaves one document and nothing more on stdout. */
export interface Output {
  json: boolean;
  /** The result: the document with `--json`, otherwise the text. */
  result(document: unknown, text: () => string): void;
  /** Something on the way; silent with `--json`. */
  note(line: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result(document, text) {
      process.stdout.write(`${json ? JSON.stringify(document, null, 2) : text()}\n`);
    },
    note(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

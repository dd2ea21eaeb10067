import type { Server } from "./gateway.ts";
import { HttpProblem } from "./problems.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

const unsupported =
  "Unsupported media type in request: send the body as JSON in UTF-8, uncompressed, with Content-Type: application/json.";

/** Bodies are JSON in UTF-8, or nothing at all. */
export function readBodies(server: Server): void {
  server.removeAllContentTypeParsers();
  server.addHook("preParsing", async (request) => {
    const { "content-encoding": encoding = "identity", "content-type": type = "" } = request.headers;
    const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1] ?? "utf-8";
    if (encoding.toLowerCase() !== "identity" || !/^utf-?8$/i.test(charset)) {
      throw new HttpProblem(415, unsupported);
    }
  });
  const parseJson = server.getDefaultJsonParser("error", "error");
  server.addContentTypeParser<Buffer>("application/json", { parseAs: "buffer" }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body);
    } catch {
      return done(new HttpProblem(400, "JSON parse error: the body is not valid UTF-8."));
    }
    request.rawBody = text;
    if (text.trim() === "") return done(null, undefined);
    // It answers by `done`, though its type allows a promise as well.
    void parseJson(request, text, done);
  });
}

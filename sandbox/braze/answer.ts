import type { JsonValue } from "./json.ts";

/** One HTTP answer, before it is written. `headers` are extra ones, names in lower case. */
export interface Answer {
  status: number;
  body: string;
  contentType: string;
  headers?: Record<string, string>;
}

export function jsonAnswer(status: number, body: JsonValue | object): Answer {
  return { status, body: JSON.stringify(body), contentType: "application/json" };
}

/** A page as Cloudflare or NGINX would put in front of Braze: clients must not expect JSON. */
export function htmlAnswer(status: number, title: string): Answer {
  const heading = `${status} ${title}`;
  const body = `<html>\r\n<head><title>${heading}</title></head>\r\n<body><center><h1>${heading}</h1></center></body>\r\n</html>\r\n`;
  return { status, body, contentType: "text/html" };
}

/** Braze's generic shape for a refused request. */
export function refusal(status: number, message: string): Answer {
  return jsonAnswer(status, { message });
}

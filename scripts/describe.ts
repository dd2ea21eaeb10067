// Writes docs/api.md anew.
import { writeFileSync } from "node:fs";
import { apiPage, describeApi } from "./api-page.ts";

writeFileSync(new URL("../docs/api.md", import.meta.url), apiPage(await describeApi()));

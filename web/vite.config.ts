import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Whatever would need a hole in the gateway's content security policy is off: no inlined files, no inline script.
export default defineConfig({
  root: import.meta.dirname,
  // The page may be served under a prefix, so nothing in it names its own path.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    // The first with `light-dark()`, which spares every colour a second rule.
    target: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { port: 5173, proxy: { "/api": "http://127.0.0.1:8088" } },
});

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { useHashLocation } from "wouter/use-hash-location";
import "@picocss/pico/css/pico.min.css";
import "./style.css";
import { isWorthRetrying } from "./api/queries.ts";
import { App } from "./app.tsx";
import { SessionProvider } from "./session.tsx";
import { applyStoredTheme } from "./theme.ts";
import { Announcer } from "./ui/announcer.tsx";

applyStoredTheme();

const root = document.getElementById("page");
if (!root) throw new Error("index.html has no #page");
const queries = new QueryClient({ defaultOptions: { queries: { retry: isWorthRetrying } } });

// Places are kept behind the address' #, which no server sees: the gateway serves one file, under whatever prefix.
createRoot(root).render(
  <QueryClientProvider client={queries}>
    <SessionProvider>
      <Announcer>
        <Router hook={useHashLocation}>
          <App />
        </Router>
      </Announcer>
    </SessionProvider>
  </QueryClientProvider>,
);

import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { createCall, type Call } from "./api/call.ts";

/** The key lives as long as the tab, and nowhere but in it. */
const storageName = "segops-braze-api-key";

interface SessionState {
  /** Null: nobody is signed in. */
  apiKey: string | null;
  /** Why there is no key any more, where the person did not end it. */
  ended: string;
  signIn: (apiKey: string) => void;
  signOut: (why?: string) => void;
}

const SessionContext = createContext<SessionState | undefined>(undefined);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [apiKey, setApiKey] = useState(() => sessionStorage.getItem(storageName));
  const [ended, setEnded] = useState("");
  const queries = useQueryClient();
  const signIn = useCallback((key: string) => {
    sessionStorage.setItem(storageName, key);
    setEnded("");
    setApiKey(key);
  }, []);
  const signOut = useCallback(
    (why = "") => {
      sessionStorage.removeItem(storageName);
      setEnded(why);
      setApiKey(null);
      // What one tenant's key was shown is not for the next.
      queries.clear();
    },
    [queries],
  );
  const state = useMemo(() => ({ apiKey, ended, signIn, signOut }), [apiKey, ended, signIn, signOut]);
  return <SessionContext value={state}>{children}</SessionContext>;
}

export function useSession(): SessionState {
  const state = useContext(SessionContext);
  if (!state) throw new Error("no SessionProvider above");
  return state;
}

/** Calls the gateway with the session's key; a key that it refuses ends the session. */
export function useCall(): Call {
  const { apiKey, signOut } = useSession();
  return useMemo(
    () => createCall(apiKey ?? "", () => signOut("The gateway does not accept this key any more.")),
    [apiKey, signOut],
  );
}

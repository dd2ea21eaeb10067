import { Link } from "wouter";
import { useSessionFacts } from "../api/queries.ts";
import { useSession } from "../session.tsx";
import { useTheme, type Theme } from "../theme.ts";

export function Header() {
  const { apiKey } = useSession();
  return (
    <header className="container page-head">
      <nav aria-label="Main">
        <ul>
          <li>
            {apiKey === null ? (
              <strong>segops-braze</strong>
            ) : (
              <Link href="/activations" className="brand">
                segops-braze
              </Link>
            )}
          </li>
        </ul>
        <ul>
          <li>
            <ThemeChoice />
          </li>
          {apiKey !== null && (
            <li>
              <SignOut />
            </li>
          )}
        </ul>
      </nav>
    </header>
  );
}

const themes: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };

function ThemeChoice() {
  const [theme, setTheme] = useTheme();
  return (
    <select
      aria-label="Colours"
      className="small"
      value={theme}
      onChange={({ target }) => setTheme(target.value as Theme)}
    >
      {Object.entries(themes).map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

function SignOut() {
  const { signOut } = useSession();
  const { data } = useSessionFacts();
  return (
    <>
      {data && <span className="muted tenant">{data.tenant_slug}</span>}
      <button type="button" className="outline secondary small" onClick={() => signOut()}>
        Sign out
      </button>
    </>
  );
}

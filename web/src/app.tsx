import { useState } from "react";
import { Redirect, Route, Switch } from "wouter";
import type { ActivationsFilter } from "./api/wire.ts";
import { ActivationsScreen } from "./screens/activations.tsx";
import { ConnectorScreen } from "./screens/connector.tsx";
import { NewConnectorScreen } from "./screens/new-connector.tsx";
import { SettingsScreen } from "./screens/settings.tsx";
import { SignInScreen } from "./screens/sign-in.tsx";
import { useSession } from "./session.tsx";
import { Header } from "./ui/header.tsx";

export function App() {
  const { apiKey } = useSession();
  return (
    <>
      <Header />
      <main className="container">{apiKey === null ? <SignInScreen /> : <Screens />}</main>
      <footer className="container">
        <small>
          segops-braze · <a href="./api/docs">API</a>
        </small>
      </footer>
    </>
  );
}

function Screens() {
  // Kept here, so that the list is where it was when a person comes back from a connector.
  const [filter, setFilter] = useState<ActivationsFilter>({ page: 1, status: "" });
  return (
    <Switch>
      <Route path="/activations">
        <ActivationsScreen filter={filter} onFilter={setFilter} />
      </Route>
      <Route path="/activations/new">
        <NewConnectorScreen />
      </Route>
      <Route path="/activations/:id">{({ id }) => <ConnectorScreen key={id} id={Number(id)} />}</Route>
      <Route path="/activations/:id/settings">
        {({ id }) => <SettingsScreen key={id} id={Number(id)} />}
      </Route>
      <Route>
        <Redirect to="/activations" replace />
      </Route>
    </Switch>
  );
}

import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiError, createCall } from "../api/call.ts";
import type { Session } from "../api/wire.ts";
import { TextField } from "../forms/text-field.tsx";
import { useSession } from "../session.tsx";
import { Heading } from "../ui/heading.tsx";
import { Notice } from "../ui/notice.tsx";

export function SignInScreen() {
  const { ended, signIn } = useSession();
  const [key, setKey] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const tried = useMutation({
    mutationFn: (apiKey: string) => createCall(apiKey, () => undefined)<Session>("session/"),
    onSuccess: (_session, apiKey) => signIn(apiKey),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    tried.mutate(key.trim());
  };
  useEffect(() => {
    if (tried.error) form.current?.querySelector("input")?.focus();
  }, [tried.error]);
  return (
    <section className="narrow">
      <Heading>Sign in</Heading>
      {ended && <Notice tone="warn" title={ended} />}
      <form ref={form} onSubmit={submit} noValidate>
        <TextField
          label="API key"
          name="key"
          type="password"
          error={tried.error ? problem(tried.error) : undefined}
          help="A key of your tenant, sk_…: kept in this tab until you sign out or close it."
          value={key}
          onChange={setKey}
        />
        <button type="submit" aria-busy={tried.isPending} disabled={tried.isPending}>
          Sign in
        </button>
      </form>
      <p className="muted">
        <small>
          No key yet? An operator makes one: <code>segops-braze api-key create --tenant …</code>
        </small>
      </p>
    </section>
  );
}

function problem(error: Error): string {
  const isRefused = error instanceof ApiError && error.status === 401;
  return isRefused
    ? "The gateway does not know this key. Check that it is whole and not revoked."
    : error.message;
}

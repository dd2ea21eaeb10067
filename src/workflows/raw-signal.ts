// A signal's arguments come from anybody. The SDK decodes them before any handler, and one that is no JSON would fail the workflow
// task time after time: the connector would be stuck. So handlers take them as they came, and decode them here.
import { defaultPayloadConverter, rawValueTypeInfo, type RawValue } from "@temporalio/common";
import { defineSignal } from "@temporalio/workflow";

/** More arguments than anybody sends by mistake. */
const mostArguments = 32;

/** The same signal as others define it by name, taken undecoded. Updates stay strict: the SDK refuses what it cannot decode. */
export function rawSignal(name: string) {
  const inputTypes = Array.from({ length: mostArguments }, () => rawValueTypeInfo);
  return defineSignal<[RawValue?]>(name, { typeInfo: { inputTypes } });
}

/** What is read of an argument that cannot be decoded: no shape that any handler knows. */
const undecodable = "undecodable";

export function decoded(argument: RawValue | undefined): unknown {
  if (argument === undefined) return undefined;
  try {
    return defaultPayloadConverter.fromPayload(argument.payload);
  } catch {
    // Whatever it was: only the converter runs here.
    return undecodable;
  }
}

import { randomBytes } from "node:crypto";

/** Names of the ledger's files. Each ends in a random suffix, so that no attempt ever meets a file of another. */
export function newSnapshotKey(folder: string, computedAt: string): string {
  return `${folder}snapshots/${computedAt.replaceAll(/[^0-9A-Za-z]/g, "")}-${suffix()}.parquet`;
}

/** Ends in a slash: the parts of one channel in one run, by one attempt. */
export function newPartsFolder(folder: string, number: number): string {
  return `${folder}parts/${runDigits(number)}-${suffix()}/`;
}

export function newExceptionsKey(folder: string, number: number): string {
  return `${folder}exceptions/${runDigits(number)}-${suffix()}.parquet`;
}

export function newRejectsKey(folder: string, number: number): string {
  return `${folder}parts/${runDigits(number)}-${suffix()}.rejects.json`;
}

/** Exits that are held for a person. */
export function newHeldKey(folder: string, number: number): string {
  return `${folder}exceptions/${runDigits(number)}-${suffix()}.held.parquet`;
}

/** Users whom Braze was seen to show otherwise than the ledger says. */
export function newWrongKey(folder: string, number: number): string {
  return `${folder}exceptions/${runDigits(number)}-${suffix()}.wrong.parquet`;
}

function runDigits(number: number): string {
  return String(number).padStart(12, "0");
}

function suffix(): string {
  return randomBytes(6).toString("hex");
}

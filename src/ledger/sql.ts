/** The pieces of SQL that the ledger's statements share. */

/** Rows of a row group in a file that is read whole or by ranges: small ones make point look-ups slower (reference: DuckDB). */
const setRowGroup = 122_880;
/** Row groups of parts; DuckDB rounds up to multiples of 2,048. */
export const partRowGroup = 20_480;

/** A text as an SQL literal, for the places that take no parameter, such as the target of COPY. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The rows of one or more Parquet files. */
export function parquet(paths: readonly string[]): string {
  return `read_parquet([${paths.map(sqlText).join(", ")}])`;
}

/** Writes a query's rows, in its order, as one Parquet file whose bytes depend on the rows alone. */
export function copyToParquet(query: string, path: string, rowGroup = setRowGroup): string {
  return `COPY (${query}) TO ${sqlText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroup})`;
}

#!/bin/sh
# Creates Temporal's two databases where they are missing and brings their schemas to the version of this image.
# Safe to run again: what exists is left alone.
set -eu

SQL_PASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
export SQL_PASSWORD

sql() {
  temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" "$@"
}

set_up() {
  sql --db "$1" create-database
  sql --db "$1" setup-schema --version 0.0
  sql --db "$1" update-schema --schema-name "postgresql/v12/$2"
  echo "database $1 has the $2 schema of this version"
}

set_up "$DBNAME" temporal
set_up "$VISIBILITY_DBNAME" visibility

#!/bin/sh
# Creates the namespace TEMPORAL_NAMESPACE (kept for RETENTION) where it is missing and waits until it can be used.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the temporal command itself.
set -eu

# Two seconds apart: up to four minutes each.
attempts=120

wait_until() {
  what="$1"
  shift
  left="$attempts"
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
      echo "gave up: $what" >&2
      # Once more, for its words.
      "$@"
      exit 1
    fi
    sleep 2
  done
  echo "$what"
}

exists() {
  temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE"
}

create() {
  exists || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
}

wait_until "Temporal serves at $TEMPORAL_ADDRESS" temporal operator cluster health
wait_until "namespace $TEMPORAL_NAMESPACE exists" create
# The server's services learn of a new namespace a few seconds later.
wait_until "namespace $TEMPORAL_NAMESPACE answers" temporal workflow count --namespace "$TEMPORAL_NAMESPACE"

#!/bin/sh
# Stands in for cargo where maturin builds: what it asks for has been built, and this tells it where.
case "$1" in
rustc) exec cat "$SNAPFILL_CARGO_MESSAGES" ;;
*) exec "$SNAPFILL_CARGO" "$@" ;;
esac

#!/usr/bin/env bash
# Installs the build into a scratch prefix and starts every installed program with --version and --help, as an operator
# does first. Starts no service: what the programs do together is tested in tests/e2e.
#
# Usage: install_test.sh CMAKE BUILD_DIR PROGRAM...
set -euo pipefail
cmake=$1 build=$2
shift 2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

fail() {
  printf 'install_test: %s\n' "$*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >"$scratch/log" 2>&1 || {
  cat "$scratch/log"
  fail "cmake --install failed"
}

# The working directory is neither the build nor the source: nothing may be found by luck.
cd "$prefix"
for program in "$@"; do
  [[ -x bin/$program ]] || fail "$program was not installed"
  version=$(timeout 20 "bin/$program" --version) || fail "$program --version ended with $?"
  [[ $version =~ [0-9]+\.[0-9]+\.[0-9]+ ]] || fail "$program --version says '$version'"
  help=$(timeout 20 "bin/$program" --help) || fail "$program --help ended with $?"
  [[ $help == *--help* ]] || fail "$program --help does not mention its flags"
  echo "$program: $version"
done

for file in broker-config/redis.conf schemas/PROTOCOL.md; do
  [[ -s share/waggle/$file ]] || fail "share/waggle/$file was not installed"
done
for folder in json-schema vectors; do
  [[ -n $(ls -A "share/waggle/schemas/$folder") ]] || fail "share/waggle/schemas/$folder is empty"
done

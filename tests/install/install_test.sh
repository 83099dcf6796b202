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
  echo "$version"
done

for folder in json-schema vectors; do
  [[ -n $(ls -A "share/waggle/schemas/$folder") ]] || fail "share/waggle/schemas/$folder is empty"
done
[[ -s share/waggle/schemas/PROTOCOL.md ]] || fail "the protocol was not installed"
[[ -s share/man/man1/waggle.1 ]] || fail "the manual page of waggle was not installed"
for command in $(bin/waggle --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  [[ -s share/man/man1/waggle-$command.1 ]] || fail "the manual page of waggle $command was not installed"
done
for program in "$@"; do
  [[ -s share/man/man1/$program.1 ]] || fail "the manual page of $program was not installed"
  for file in bash-completion/completions/$program zsh/site-functions/_$program fish/vendor_completions.d/$program.fish; do
    [[ -s share/$file ]] || fail "share/$file was not installed"
  done
  bash -n "share/bash-completion/completions/$program" || fail "bash cannot read the completions of $program"
  if command -v groff >/dev/null; then
    warnings=$(groff -ww -man -Tutf8 "share/man/man1/$program.1" 2>&1 >/dev/null)
    [[ -z $warnings ]] || fail "groff on $program.1: $warnings"
  fi
done
[[ -s share/waggle/models/waggle-shapes/model_index.json ]] || fail "the demo model was not installed"
[[ -s share/waggle/redis.conf ]] || fail "redis.conf was not installed"

# A sample file is read before --help answers, and a key that no flag has is an error: so the samples name real flags and
# what they set is in range.
reads() { timeout 20 "bin/$1" --config "$2" --help >/dev/null 2>"$scratch/error"; }

for sample in queen.toml:waggle-queen bridge.toml:waggle-bridge worker-cpu.toml:waggle-worker-cpu; do
  file=share/waggle/${sample%%:*} program=${sample##*:}
  reads "$program" "$file" || fail "$program does not read $file: $(<"$scratch/error")"
  # The same with every commented-out setting switched on, but for those that name files of another machine.
  sed -E 's/^# ([a-z0-9-]+ = ("[^/]|[^"]))/\1/' "$file" >"$scratch/all.toml"
  reads "$program" "$scratch/all.toml" || fail "$program does not know all of $file: $(<"$scratch/error")"
  echo 'no-such-flag = 1' >"$scratch/wrong.toml"
  ! reads "$program" "$scratch/wrong.toml" || fail "$program accepts a key that it does not know"
done

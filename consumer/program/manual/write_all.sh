#!/usr/bin/env bash
# Writes the manual pages and the completions of every program below a folder, as they lie below share/. The programs
# write the texts themselves; this only knows where they belong.
#
# Usage: write_all.sh FOLDER_OF_PROGRAMS OUT
set -euo pipefail
programs=$1 out=$2

mkdir -p "$out"/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
"$programs/waggle" man --all "$out/man/man1" >/dev/null
for program in waggle-queen waggle-worker-cpu waggle-worker-cuda waggle-worker-metal waggle-bridge; do
  "$programs/$program" --man >"$out/man/man1/$program.1"
done

# write_completions NAME COMMAND...: the command takes the name of a shell.
write_completions() {
  local name=$1
  shift
  "$@" bash >"$out/bash-completion/completions/$name"
  "$@" zsh >"$out/zsh/site-functions/_$name"
  "$@" fish >"$out/fish/vendor_completions.d/$name.fish"
}
write_completions waggle "$programs/waggle" completion
for program in waggle-queen waggle-worker-cpu waggle-worker-cuda waggle-worker-metal waggle-bridge; do
  write_completions "$program" "$programs/$program" --completion
done

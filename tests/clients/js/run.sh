#!/usr/bin/env bash
# run.sh SCRATCH VECTORS PROGRAMS: installs what package-lock.json pins into SCRATCH (once), and runs the test there.
# Ends with 77, which ctest shows as skipped, where Node.js or the packages cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$1 vectors=$2 programs=$3

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: no Node.js (the packages nodejs and npm)"
  exit 77
fi
install() { (cd "$scratch" && timeout 60 npm ci --no-audit --no-fund --loglevel=error "$@"); }

mkdir -p "$scratch"
if ! cmp -s "$here/package-lock.json" "$scratch/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$scratch/"
  # From npm's cache if it has them; else one try of the registry, which fails at once where there is no network.
  install --offline 2>/dev/null || install --fetch-retries=0 --fetch-timeout=20000 || {
    echo "skipped: npm could not install zeromq and @msgpack/msgpack (no network?)"
    exit 77
  }
  cp "$here/package-lock.json" "$scratch/installed.json"
fi
cp "$here"/*.js "$scratch/"
exec node "$scratch/test.js" "$vectors" "$programs"

# Sourced by the scripts beside it: where things are, how they speak, how they try again.
# It expects `set -euo pipefail` of its caller.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${PITSTOP_CACHE:-$ROOT/.cache}
export PITSTOP_CACHE=$CACHE
# CI's shell may come with next to no PATH: Go's usual place and the system folders are added.
# Debian's python3 goes before any other, since only it sees Debian's python3-schedule.
export PATH="$PATH:/usr/local/go/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
export HOME=${HOME:-/root}
# A checkout that belongs to somebody else, or has no .git at all, builds too.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
PYTHON=${PYTHON:-/usr/bin/python3}
mkdir -p "$CACHE"

say() { printf '== %s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { printf '!! %s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# retry TIMES COMMAND…: tries again with growing patience; the last failure is the script's.
retry() {
  local times=$1 n=1; shift
  until "$@"; do
    [ "$n" -lt "$times" ] || return 1
    say "attempt $n of $times failed: $*; trying again in $((n * 3)) s"
    sleep $((n * 3)); n=$((n + 1))
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "needs root for: $* (run as root, or install what is missing by hand)"
  fi
}

# lock NAME: one script at a time, also when several checkouts share a machine. Held until exit;
# what it starts in the background must close it (9>&-).
lock() {
  exec 9>"${TMPDIR:-/tmp}/pitstop-$1.$(id -u).lock"
  flock -w 900 9 || die "another $1 has been running for 15 minutes; see who holds ${TMPDIR:-/tmp}/pitstop-$1.$(id -u).lock"
}

# answers: there is an engine at the socket, and it talks to us within a few seconds.
answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

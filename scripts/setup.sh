#!/bin/bash
# setup.sh [run|test]: what a checkout needs before anything in it runs.
#
#   run    npm's packages (Bun is among them) and a C compiler: enough for the demo and the benchmarks
#   test   and the programs that the tests use (the default)
#
# Does nothing where all is there. Says what it installs, and ends with an error where it cannot.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."

say() { echo "setup: $*" >&2; }
die() { say "$@"; exit 1; }

# Debian packages: for a C program, and for the tests.
base=(gcc libc6-dev make util-linux)
tests=(
  gcc-multilib          # subjects of 32 bits
  linux-libc-dev        # the kernel's structs and constants are compared with its headers
  criu                  # its crit decodes every image that we write; its pycriu and libcriu are clients of the RPC
  libprotobuf-c-dev     # headers of libcriu
  python3 perl sqlite3  # real programs that go on after a restore
  default-jre-headless
  procps
  tmux vim git
  redis-server memcached nginx-light postgresql openssh-server openssh-client etcd-server
  gdb chromium          # open the core files and the page that criu show makes
  zsh fish groff-base man-db  # completion scripts and the manual page
  tcpdump               # has its ring of packets mapped
  nftables iptables iproute2  # locks of connections are listed by their own programs
)

check_machine() {
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || die "this needs Linux on x86-64, not $(uname -sm)"
  [ "$(id -u)" = 0 ] || die "dump and restore need root: run it as root"
  command -v node >/dev/null || die "Node 20 or later is missing (https://nodejs.org, or apt-get install nodejs npm)"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || die "Node 20 or later is needed, this is $(node --version)"
  command -v npm >/dev/null || die "npm is missing (apt-get install npm)"
}

missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
}

# On another distribution nobody but its owner knows the names: say what is not there.
check_commands() {
  local name missing=()
  for name in cc make flock; do command -v "$name" >/dev/null || missing+=("$name"); done
  [ ${#missing[@]} = 0 ] || die "missing, and there is no apt-get to install it: ${missing[*]}"
  [ "$1" = test ] || return 0
  for name in crit python3 perl sqlite3 java nft iptables-save tmux vim git gdb chromium \
    redis-server memcached nginx psql sshd tcpdump zsh fish man groff; do
    command -v "$name" >/dev/null || missing+=("$name")
  done
  echo 'int main(void){return 0;}' | cc -m32 -xc -o /dev/null - 2>/dev/null || missing+=("cc -m32")
  [ ${#missing[@]} = 0 ] || die "the tests need, and there is no apt-get to install it: ${missing[*]}"
}

# Servers are wanted as programs: none is to be started on this machine by its installation.
forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e $policy ] || return 0
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  trap "rm -f $policy" EXIT
}

install_debian() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  forbid_services
  local get=(apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 install)
  "${get[@]}" "${missing[@]}" </dev/null >&2 && return 0
  say "that failed; once more with fresh lists"
  apt-get -q update </dev/null >&2 || die "apt-get update failed"
  "${get[@]}" "${missing[@]}" </dev/null >&2 || die "apt-get could not install: ${missing[*]}"
}

install_npm() {
  local done=node_modules/.package-lock.json
  [ -x node_modules/bun/bin/bun.exe ] && [ "$done" -nt package-lock.json ] && return 0
  say "npm ci"
  npm ci --no-audit --no-fund </dev/null >&2 || die "npm ci failed"
  [ -x node_modules/bun/bin/bun.exe ] || die "npm ci brought no Bun for this machine"
  touch "$done"
}

level=${1:-test}
case $level in run | test) ;; *) die "usage: setup.sh [run|test]" ;; esac
check_machine
packages=("${base[@]}")
[ "$level" = run ] || packages+=("${tests[@]}")
if ! command -v apt-get >/dev/null; then
  check_commands "$level"
elif [ "$level" = run ] && command -v cc >/dev/null && command -v make >/dev/null; then
  : # any compiler will do
else
  install_debian "${packages[@]}"
fi
install_npm

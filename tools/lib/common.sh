# Shared by the scripts here: messages, and the checks and installs before a build. Sourced, not run.
# The variables are for the scripts that source this.
# shellcheck shell=bash disable=SC2034

# The repository's folder, wherever the script was called from.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

# The oldest toolchain that can read the package's manifest.
readonly swift_wanted="6.2"

# What building and running need besides the toolchain: the C libraries, the tool that finds them, and the time zones.
readonly build_packages=(
  git pkg-config libzstd-dev libedit-dev libssl-dev libargon2-dev libcrypt-dev libzxcvbn-dev libcurl4-openssl-dev libqrencode-dev
  tzdata
)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# A script's first comment is its help text, so that the two cannot drift apart.
print_help() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"; }

check_swift() {
  command -v swift >/dev/null || die "no Swift toolchain found.
Install Swift $swift_wanted or newer from https://www.swift.org/install/linux/ and make sure that 'swift' is in PATH."
  local found
  found="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)"
  [[ -n "$found" ]] || die "'swift --version' does not name a version; is the toolchain complete?"
  [[ "$(printf '%s\n%s\n' "$swift_wanted" "$found" | sort -V | head -n 1)" == "$swift_wanted" ]] ||
    die "Swift $found is too old; $swift_wanted or newer is needed: https://www.swift.org/install/linux/"
}

# Builds a product as it is meant to run. With the Swift runtime inside, an HTTP request takes a tenth less processor time,
# and the program runs where no Swift is installed.
readonly release=(-c release --static-swift-stdlib)

build_release() {
  swift build "${release[@]}" --product "$1" >&2
  # Such a program looks beside it for the one that writes the backtrace of a crash.
  local library tracer
  library="$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')"
  tracer="$library/../../libexec/swift/linux/swift-backtrace-static"
  [[ ! -x "$tracer" ]] || cp -f "$tracer" "$(release_program swift-backtrace)"
}

# The path of a program that was built so.
release_program() { printf '%s/%s\n' "$(swift build "${release[@]}" --show-bin-path)" "$1"; }

is_installed() {
  # pkgconf provides pkg-config on newer systems, under its own name.
  [[ "$1" == pkg-config ]] && command -v pkg-config >/dev/null && return 0
  [[ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" == *"ok installed" ]]
}

# Installs the named Debian packages that are missing, or says what to install if it cannot.
install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "This is no Debian or Ubuntu, so make sure that the equivalents of these are installed: $*"
    return 0
  fi
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these packages are missing, and only root can install them:
  apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${missing[*]} …"
  # A package may bring a service, which only a service manager would start; the tests start their own.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 ||
    say "The package lists could not be renewed; going on with those that are there."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    die "could not install them; try: apt-get install ${missing[*]}"
}

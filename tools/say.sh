# SPDX-License-Identifier: MIT
# tools/say.sh - what the scripts of this folder share: words and apt.
# Sourced by bash, from a script that set ROOT to the top of the tree.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
	BOLD='' GREEN='' RED='' DIM='' PLAIN=''
fi

step() { printf '%s==> %s%s\n' "$BOLD" "$*" "$PLAIN"; }
note() { printf '    %s\n' "$*"; }
die()  { printf '%s%s: %s%s\n' "$RED" "${0##*/}" "$*" "$PLAIN" >&2; exit 1; }

# quietly LOG COMMAND...: its output goes to LOG; shown only if it fails.
quietly()
{
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	"$@" > "$log" 2>&1 < /dev/null && return 0
	printf '%sfailed: %s%s\n' "$RED" "$*" "$PLAIN" >&2
	tail -n 25 "$log" >&2
	printf '(all of it: %s)\n' "$log" >&2
	return 1
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo > /dev/null; then
		sudo "$@"
	else
		printf 'this needs root or sudo: %s\n' "$*" >&2
		return 1
	fi
}

package_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# need_packages NAME...: installs those that are missing; says which.
# Without apt nothing is installed: the build says what it lacks.
need_packages()
{
	local missing=() name

	command -v apt-get > /dev/null || return 0
	for name; do
		package_installed "$name" || missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	note "installing ${missing[*]}"
	quietly "$ROOT/build/log/apt-update" as_root apt-get -q update ||
		note "the package lists could not be renewed; trying anyway"
	quietly "$ROOT/build/log/apt-install" as_root \
		env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "${missing[@]}"
}

# version_at_least HAVE WANT
version_at_least()
{
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

#!/bin/sh
# Installs Tallystick @VERSION@: this script, and the program behind it as a tar.gz. Needs nothing but sh, tail, tar, gzip and sha256sum.
#   sh tallystick-….run                   for you alone: ~/.local/lib/tallystick, ~/.local/bin/tallystick; as root: /opt/tallystick, /usr/local/bin
#   sh tallystick-….run --prefix DIR      DIR/lib/tallystick, DIR/bin/tallystick
# Running it again, or a newer one, replaces the program as a whole; data directories and settings are left alone.
set -eu
umask 022

version='@VERSION@' sha256='@SHA256@' bytes='@BYTES@'
say() { printf 'tallystick: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

prefix=''
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -ge 2 ] && [ -n "$2" ] || fail '--prefix: give a folder'; prefix=$2; shift 2 ;;
        --prefix=?*) prefix=${1#--prefix=}; shift ;;
        -h | --help) printf 'Installs Tallystick %s.\nusage: sh %s [--prefix DIR]\n' "$version" "$0"; exit 0 ;;
        *) fail "what is $1? usage: sh $0 [--prefix DIR]" ;;
    esac
done

case $prefix in
    '') if [ "$(id -u)" -eq 0 ]; then lib=/opt/tallystick bin=/usr/local/bin; else
            [ -n "${HOME:-}" ] || fail 'HOME is not set; give --prefix DIR'
            lib=$HOME/.local/lib/tallystick bin=$HOME/.local/bin
        fi ;;
    /*) lib=$prefix/lib/tallystick bin=$prefix/bin ;;
    *) lib=$PWD/$prefix/lib/tallystick bin=$PWD/$prefix/bin ;;
esac

[ "$(uname -s)" = Linux ] || fail "this is for Linux, not $(uname -s)"
[ -e "$lib" ] && [ ! -x "$lib/tallystick" ] && fail "$lib is there and is no Tallystick; move it away, or give --prefix DIR"

mkdir -p "$(dirname "$lib")" "$bin"
new=$(mktemp -d "$lib.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM

found=$(tail -c "$bytes" "$0" | sha256sum | cut -d ' ' -f 1)
[ "$found" = "$sha256" ] || fail 'this file is damaged or cut: its checksum differs; download it again'
tail -c "$bytes" "$0" | tar -xzf - -C "$new" --no-same-owner
chmod 755 "$new" "$new/tallystick"
"$new/tallystick/tallystick" --version > /dev/null || fail 'the program does not start on this machine; it needs glibc 2.36 (Debian 12) or later'

# A running program keeps the files that it has open; the folder goes at once, not file by file.
if [ -e "$lib" ]; then mv "$lib" "$new/before"; fi
mv "$new/tallystick" "$lib"
ln -sfn "$lib/tallystick" "$bin/tallystick"
say "$("$lib/tallystick" --version) is in $lib"
case ":$PATH:" in
    *":$bin:"*) say 'begin with: tallystick demo' ;;
    *) say "begin with: $bin/tallystick demo    ($bin is not in your PATH)" ;;
esac
exit 0

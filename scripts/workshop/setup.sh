#!/bin/sh
# Install what the build (and, with "test", the tests) need and this machine lacks, by package name.
# Usage: scripts/workshop/setup.sh [run|test]
# Where nothing is missing it prints nothing and changes nothing. On Debian and Ubuntu it installs with apt-get, asking for
# sudo only then; elsewhere it names the packages and stops.
set -eu
want=${1:-run}

has_pc() { command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "$1" 2>/dev/null; }
lua_pc() { for p in lua5.4 lua-5.4 lua54 lua; do if has_pc "$p >= 5.4 $p < 5.5"; then return 0; fi; done; return 1; }
headers() { for c in ${CC:-cc} gcc clang; do if printf '#include <stdio.h>\n' | $c -E - >/dev/null 2>&1; then return 0; fi; done; return 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# what is missing, one word each
missing=
need() { missing="$missing $1"; }
has gcc || has clang || has cc || need compiler
headers || need headers
has make || need make
has pkg-config || need pkgconfig
has_pc ncursesw || need ncurses
has_pc readline || need readline
has_pc openblas || need openblas
lua_pc || need lua
has_pc zlib || need zlib
has_pc liblzma || need lzma
has_pc jansson || need jansson
if [ "$want" = test ]; then
    has_pc cmocka || need cmocka
    has tmux || need tmux
    has ps || need procps
fi
[ -n "$missing" ] || exit 0

name() { # system word
    case "$1:$2" in
    apt:compiler) echo gcc ;; apt:headers) echo libc6-dev ;; apt:make) echo make ;; apt:pkgconfig) echo pkg-config ;;
    apt:ncurses) echo libncurses-dev ;; apt:readline) echo libreadline-dev ;; apt:openblas) echo libopenblas-dev ;;
    apt:lua) echo liblua5.4-dev ;; apt:zlib) echo zlib1g-dev ;; apt:lzma) echo liblzma-dev ;; apt:jansson) echo libjansson-dev ;;
    apt:cmocka) echo libcmocka-dev ;; apt:tmux) echo tmux ;; apt:procps) echo procps ;;
    dnf:compiler) echo gcc ;; dnf:headers) echo glibc-devel ;; dnf:make) echo make ;; dnf:pkgconfig) echo pkgconf-pkg-config ;;
    dnf:ncurses) echo ncurses-devel ;; dnf:readline) echo readline-devel ;; dnf:openblas) echo openblas-devel ;;
    dnf:lua) echo lua-devel ;; dnf:zlib) echo zlib-devel ;; dnf:lzma) echo xz-devel ;; dnf:jansson) echo jansson-devel ;;
    dnf:cmocka) echo libcmocka-devel ;; dnf:tmux) echo tmux ;; dnf:procps) echo procps-ng ;;
    pacman:compiler | pacman:headers) echo gcc ;; pacman:make) echo make ;; pacman:pkgconfig) echo pkgconf ;;
    pacman:ncurses) echo ncurses ;; pacman:readline) echo readline ;; pacman:openblas) echo openblas ;; pacman:lua) echo lua54 ;;
    pacman:zlib) echo zlib ;; pacman:lzma) echo xz ;; pacman:jansson) echo jansson ;; pacman:cmocka) echo cmocka ;;
    pacman:tmux) echo tmux ;; pacman:procps) echo procps-ng ;;
    brew:ncurses) echo ncurses ;; brew:readline) echo readline ;; brew:openblas) echo openblas ;; brew:lua) echo lua@5.4 ;;
    brew:zlib) echo zlib ;; brew:lzma) echo xz ;; brew:jansson) echo jansson ;; brew:cmocka) echo cmocka ;; brew:tmux) echo tmux ;;
    brew:pkgconfig) echo pkgconf ;; brew:compiler | brew:headers) echo gcc ;; brew:make) echo make ;; brew:procps) ;;
    esac
}
names() { for word in $missing; do name "$1" "$word"; done | sort -u | tr '\n' ' '; }

if ! has apt-get; then
    echo "hebb needs packages that are not here. Install them, then run the same command again:" >&2
    if has dnf; then echo "  sudo dnf install $(names dnf)" >&2
    elif has pacman; then echo "  sudo pacman -S --needed $(names pacman)" >&2
    elif has brew; then echo "  brew install $(names brew)" >&2
    else
        echo "  Debian, Ubuntu:  $(names apt)" >&2
        echo "  Fedora:          $(names dnf)" >&2
        echo "  Arch:            $(names pacman)" >&2
        echo "  macOS:           $(names brew)" >&2
    fi
    exit 1
fi

packages=$(names apt)
sudo=
log=$(mktemp)
trap 'rm -f "$log"' EXIT
refuse() {
    tail -n 15 "$log" >&2
    echo "hebb needs packages that could not be installed from here. As root:" >&2
    echo "  apt-get install $packages" >&2
    echo "Then run the same command again." >&2
    exit 1
}
if [ "$(id -u)" != 0 ]; then
    has sudo || refuse
    sudo=sudo
fi
# A package list that is old or empty: the second try follows an update. A machine that has just started may be updating itself.
install() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $packages >"$log" 2>&1
}
echo "installing${sudo:+ with sudo}: $packages" >&2
install || { $sudo apt-get update >"$log" 2>&1 && install; } || refuse

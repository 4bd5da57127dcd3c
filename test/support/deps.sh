#!/bin/sh
# Sees to the Debian packages that a set of targets needs:
# deps.sh build|run|test|check|debug|reproduce|container...
# deps.sh --versions   writes mk/packages.lock: the versions of this machine
#
# Every set contains `build`, tests and debugging contain `run`. Nothing missing: silent. Otherwise says what is missing and why, and
# installs it as root or through passwordless sudo; without either it prints the command and fails.
set -eu

build_packages='
g++-riscv64-linux-gnu          compiles the kernel and C++ programs
gcc-riscv64-linux-gnu          compiles C programs, assembles and links
picolibc-riscv64-unknown-elf   the C library of programs
gcc-12-riscv64-linux-gnu       the C compiler itself
g++-12-riscv64-linux-gnu       the C++ compiler itself
binutils-riscv64-linux-gnu     assembler and linker
libstdc++-12-dev-riscv64-cross headers and library of C++, part of what is built
libgcc-12-dev-riscv64-cross    the library of the compiler, part of what is built
make                           reads the Makefile
python3                        runs the build scripts'

run_packages='
qemu-system-misc               the machine: qemu-system-riscv64
opensbi                        the firmware that starts the kernel'

test_packages='
g++                            compiles the unit tests for this machine
doctest-dev                    the framework of the unit tests'

check_packages='
clang-14                       second compiler, for its thread-safety analysis
clang-format-14                checks the formatting'

debug_packages='
gdb-multiarch                  the debugger that `make debug` starts'

reproduce_packages='
faketime                       another date for the second build
disorderfs                     another order of files for the second build'

container_packages='
mmdebstrap                     makes the base image
buildah                        builds the Dockerfile
debian-archive-keyring         the keys of the archives'

usage() {
    echo 'usage: deps.sh build|run|test|check|debug|reproduce|container...' >&2
    echo '       deps.sh --versions' >&2
    exit 2
}

wanted() {
    echo "$build_packages"
    for set in "$@"; do
        case $set in
        build) ;;
        run) echo "$run_packages" ;;
        test) echo "$run_packages$test_packages" ;;
        check) echo "$check_packages" ;;
        debug) echo "$run_packages$debug_packages" ;;
        reproduce) echo "$reproduce_packages" ;;
        container) echo "$container_packages" ;;
        *) usage ;;
        esac
    done
}

# Those lines of the table whose packages are not installed.
missing() {
    installed=$(echo "$table" | awk 'NF { print $1 }' |
        xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
        sed -n 's/^installed //p') || true
    echo "$table" | awk -v installed="$installed" '
        BEGIN { count = split(installed, names); for (i = 1; i <= count; i++) have[names[i]] = 1 }
        NF && !($1 in have)'
}

# What the container installs, a line `set package=version` for each package.
versions() {
    for set in build run test; do
        case $set in
        build) list=$build_packages ;;
        run) list=$run_packages ;;
        test) list=$test_packages ;;
        esac
        echo "$list" | awk 'NF { print $1 }' |
            xargs dpkg-query -W -f "$set "'${Package}=${Version}\n' | sort
    done
}

known() {
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}

update() {
    echo '  APT      update: fetching the lists of packages'
    $as_root apt-get -qq -o DPkg::Lock::Timeout=300 update
}

install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >"$log" 2>&1
}

[ $# -gt 0 ] || usage
if [ "$1" = --versions ]; then
    versions
    exit
fi
table=$(wanted "$@") || exit 2
table=$(echo "$table" | awk '!seen[$0]++')

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo 'deps.sh: this is not a Debian system; these have to be there:' >&2
    echo "$table" >&2
    exit 0
fi

lines=$(missing)
[ -n "$lines" ] || exit 0
packages=$(echo "$lines" | awk '{ print $1 }' | tr '\n' ' ')

echo 'These Debian packages are missing:'
echo "$lines" | sed 's/^/  /'

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo 'Installing them takes root. Run this, then make again:'
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends $packages"
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
updated=no
# The names are words, to be split.
# shellcheck disable=SC2086
if ! known $packages; then
    update || true
    updated=yes
fi
echo '  APT      installing them (a few minutes on a fresh machine)'
# shellcheck disable=SC2086
if ! install $packages; then
    { [ $updated = no ] && update && install $packages; } || {
        cat "$log"
        echo 'Installing failed, see above. To try by hand:'
        echo "  ${as_root:+sudo }apt-get update && ${as_root:+sudo }apt-get install $packages"
        exit 1
    }
fi

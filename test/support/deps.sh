#!/bin/sh
# Installs the Debian packages that a target needs, or says how: deps.sh build|test|check|debug...
# Says what is missing and why. Where nothing is missing it says nothing and takes no time.
set -eu

packages_for() {
    case $1 in
    build) echo "gcc-riscv64-linux-gnu:compiles-the-kernel-and-programs \
g++-riscv64-linux-gnu:compiles-the-kernel-and-programs \
picolibc-riscv64-unknown-elf:is-the-C-library-of-programs \
qemu-system-misc:is-the-machine \
opensbi:is-the-machine's-firmware \
python3:runs-the-build's-tools \
dpkg-dev:fetches-source-packages \
xz-utils:unpacks-source-packages" ;;
    test) echo "g++:compiles-the-host-tests doctest-dev:is-the-host-tests'-framework" ;;
    check) echo "clang-14:is-the-second-compiler clang-format-14:checks-the-formatting" ;;
    debug) echo "gdb-multiarch:is-the-debugger" ;;
    *) echo "deps.sh: no such set: $1" >&2; exit 2 ;;
    esac
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

missing=
for set in "$@"; do
    for entry in $(packages_for "$set"); do
        package=${entry%%:*}
        installed "$package" && continue
        [ -n "$missing" ] || echo "Packages that are missing here:"
        echo "  $package ($(echo "${entry#*:}" | tr - ' '))"
        missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "Install them with:"
    echo "  sudo apt-get install --no-install-recommends$missing"
    exit 1
fi
echo "Installing them."
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}
# The lists of packages may be old, or not there at all on a new machine.
install >/dev/null 2>&1 || { $as_root apt-get update -q && install; }

#!/bin/sh
# Builds the Dockerfile without Docker, and compares what comes out with what was built outside:
# docker_check.sh WORK IMAGES [STAGE...]
#
# buildah takes Docker's place, with chroot as its isolation, so that it works where there are no
# namespaces. The base is made here by mmdebstrap from the archives of this machine's apt, with its
# way to reach them. Everything is below WORK; a base that is there already is used again. Stages
# named after IMAGES are built too, and kept as images of WORK/storage.
set -eu

[ $# -ge 2 ] || {
    echo 'usage: docker_check.sh WORK IMAGES [STAGE...]' >&2
    exit 2
}
mkdir -p "$1"
work=$(cd "$1" && pwd)
images=$(cd "$2" && pwd)
shift 2
[ "$(id -u)" = 0 ] || {
    echo 'docker_check.sh: making a base and building in it takes root; run it with sudo' >&2
    exit 1
}

export STORAGE_DRIVER=vfs
container() {
    buildah --root "$work/storage" --runroot "$work/run" "$@"
}

# How this machine reaches its archives goes into the base; where they are, mmdebstrap writes there.
make_base() {
    apt-config dump | grep '^Acquire::' | grep -v '::IndexTargets\|::Changelogs' \
        >"$work/90machine" || true
    # The names are words, to be split.
    # shellcheck disable=SC2046
    mmdebstrap --quiet --variant=minbase --mode=root --format=tar \
        --setup-hook="mkdir -p \"\$1/etc/apt/apt.conf.d\"" \
        --setup-hook="cp '$work/90machine' \"\$1/etc/apt/apt.conf.d/\"" \
        bookworm "$work/base.tar.new" \
        $(find /etc/apt/sources.list /etc/apt/sources.list.d -type f \
            \( -name '*.list' -o -name '*.sources' \) 2>/dev/null | sort)
    mv "$work/base.tar.new" "$work/base.tar"
}

import_base() {
    new=$(container from scratch)
    container add -q "$new" "$work/base.tar" /
    container commit -q --rm "$new" localhost/kairos-base >/dev/null
}

build_stage() {
    echo "  BUILDAH  $1"
    container build --isolation chroot --build-arg BASE_IMAGE=localhost/kairos-base \
        --target "$1" -t "localhost/kairos-$1" . >"$work/$1.log" 2>&1 || {
        tail -n 40 "$work/$1.log"
        echo "docker_check.sh: stage $1 does not build; all of it is in $work/$1.log" >&2
        exit 1
    }
}

copy_artifacts() {
    rm -rf "$work/out"
    mkdir "$work/out"
    new=$(container from localhost/kairos-artifacts)
    cp -r "$(container mount "$new")/." "$work/out"
    container rm "$new" >/dev/null
}

if [ ! -f "$work/base.tar" ]; then
    echo '  BASE     mmdebstrap, from the archives of this machine'
    make_base
fi
import_base
build_stage artifacts
copy_artifacts
for stage in "$@"; do
    build_stage "$stage"
done

if diff "$images/SHA256SUMS" "$work/out/SHA256SUMS"; then
    (cd "$work/out" && sha256sum --quiet -c SHA256SUMS)
    echo 'Inside and outside are the same:'
    cat "$work/out/SHA256SUMS"
else
    python3 "$(dirname "$0")/compare.py" "$images" "$work/out" || true
    echo 'docker_check.sh: inside (>) differs from outside (<)' >&2
    exit 1
fi

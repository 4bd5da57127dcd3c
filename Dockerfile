# The images, their tests and the machine, in containers. What `make images` gives outside, the stage
# `artifacts` gives here, with the same sums.
#
#   docker build --target artifacts -o out .                 what is given to others, in out/
#   docker build --target test -t kairos-test . && docker run --rm kairos-test
#   docker build -t kairos . && docker run --rm -it kairos   boots to the shell
#
# The base is pinned by its digest. To refresh it: `docker pull debian:bookworm-slim`, then
# `docker image inspect --format '{{index .RepoDigests 0}}' debian:bookworm-slim`, and put the date
# that the registry gives for that digest into the tag. Then `make lock` in a container of it, which
# writes the versions of mk/packages.lock anew.
#
# Packages and sources come from the archives that the base's own apt configuration names. Nothing
# secret is needed or copied.
ARG BASE_IMAGE=debian:bookworm-20260824-slim@sha256:88200866dfff7ea7f5cbcb6ec7c8a701889efe6fe859fe64d6990e4b07ea4171

# ---- The compilers, and somebody who is not root --------------------------------------------------
FROM ${BASE_IMAGE} AS tools
ENV DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
COPY mk/packages.lock /usr/share/kairos/packages.lock
RUN apt-get -q update \
    && awk '$1 == "build" { print $2 }' /usr/share/kairos/packages.lock \
        | xargs apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* \
    && useradd --create-home --uid 1000 --shell /bin/sh builder

# ---- What is built ---------------------------------------------------------------------------------
FROM tools AS build
USER builder
WORKDIR /home/builder/kairos
COPY --chown=builder:builder . .
RUN make images

# ---- Nothing but what is built ---------------------------------------------------------------------
FROM scratch AS artifacts
COPY --from=build /home/builder/kairos/build/images/ /

# ---- The machine, and what the tests need ----------------------------------------------------------
FROM tools AS machine
RUN apt-get -q update \
    && awk '$1 == "run" { print $2 }' /usr/share/kairos/packages.lock \
        | xargs apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*
USER builder
WORKDIR /home/builder/kairos
COPY --from=build --chown=builder:builder /home/builder/kairos .

FROM machine AS test
USER root
RUN apt-get -q update \
    && awk '$1 == "test" { print $2 }' /usr/share/kairos/packages.lock \
        | xargs apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*
USER builder
CMD ["make", "test"]

FROM machine AS shell
CMD ["make", "qemu"]

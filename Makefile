# Kairos. `make` alone explains itself.
#
# Everything is built below build/: the kernel and programs of a configuration in build/<config>/,
# the SDK in build/sdk (of the configuration built last), sources from elsewhere in
# build/third_party, what is given to others in build/images. Fragments: mk/kernel.mk,
# mk/programs.mk, mk/test.mk, mk/images.mk, user/sdk.mk.

CONFIG ?= release
HARTS ?= 4
MEMORY ?= 256
N ?= 200
V ?= 0

ifeq ($(filter $(CONFIG),release debug measure),)
$(error CONFIG is release, debug or measure, not '$(CONFIG)')
endif

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/sh
PYTHON := python3
export PYTHONDONTWRITEBYTECODE := 1
# What tools print and how they sort does not depend on who builds.
export LC_ALL := C

BUILD := build/$(CONFIG)
SDK := build/sdk
SUPPORT := test/support

# `$(call run,CXX,file,command)` shows a short line, or the command with V=1.
ifeq ($(V),0)
quiet = @printf '  %-8s %s\n' '$(1)' '$(2)';
else
quiet =
endif

# `$(eval $(call record,file,text))`: a file that holds the text, and is written only when that
# changes. What depends on it is made anew when flags change, or when a list of files does.
define record
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(2)' | cmp -s - $$@ || printf '%s\n' '$(2)' > $$@
endef

.PHONY: FORCE
FORCE:

.PHONY: help
help:
	@echo 'Kairos, a capability microkernel for 64-bit RISC-V.'
	@echo
	@echo '  make qemu [HARTS=4] [MEMORY=256]  build everything and boot to the shell'
	@echo '  make test                         unit tests on the host, test programs in QEMU'
	@echo '  make sdk                          build/sdk: kairos-cc, kairos-c++, kairos-run'
	@echo '  make debug                        boot and wait for gdb, which is started'
	@echo '  make bench                        instruction counts of the usual operations'
	@echo '  make quiet                        the longest stretch without interrupts in all tests'
	@echo '  make timeline                     build/timeline.json and .png: a traced call'
	@echo '  make check                        formatting, second compiler, include rules, scripts'
	@echo '  make soak [N=10000]               random programs, started and ended: nothing grows'
	@echo '  make soak-boot [N=200]            boot N times on 1, 2, 4 and 8 harts each'
	@echo '  make images                       build/images: kernel, programs, archive, SDK, sums'
	@echo '  make reproduce                    build them twice, differently, and compare'
	@echo '  make docker-check                 build them in a container without Docker, and compare'
	@echo '  make release                      images of a committed tree, reproduced, with notes'
	@echo '  make soak-panic N=1000            panic at N random points and read each report'
	@echo '  make format                       put the sources into shape'
	@echo '  make clean                        remove build/'
	@echo
	@echo 'Options: CONFIG=release|debug|measure (now $(CONFIG)), V=1 shows the commands.'

# What a target needs to be installed is installed, or asked for, before make looks at anything
# that would fail without it.
goals := $(or $(MAKECMDGOALS),help)
needs := $(if $(filter-out help clean format lock,$(goals)),build) \
         $(if $(filter-out help clean format lock kernel images reproduce,$(goals)),run) \
         $(if $(filter test bench timeline soak soak-panic soak-boot quiet,$(goals)),test) \
         $(if $(filter reproduce release,$(goals)),reproduce) \
         $(if $(filter docker-check,$(goals)),container) \
         $(if $(filter check format,$(goals)),check) $(if $(filter debug,$(goals)),debug)
ifneq ($(strip $(needs)),)
ifneq ($(shell sh $(SUPPORT)/deps.sh $(needs) >&2 && echo ok),ok)
$(error packages are missing; see above)
endif
endif

include mk/kernel.mk
include user/sdk.mk
include mk/programs.mk
include mk/test.mk
include mk/images.mk

.PHONY: all
all: kernel sdk programs compile_commands.json

.PHONY: clean
clean:
	rm -rf build compile_commands.json

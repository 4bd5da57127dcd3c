# Tests, benchmarks and checks.

# ---- User-mode test programs and benchmarks -------------------------------------------------------
test_sources := $(sort $(wildcard test/integration/*.c test/integration/*.cpp))
test_programs := $(patsubst test/integration/%,$(BUILD)/test/%,$(basename $(test_sources)))
bench_sources := $(sort $(wildcard test/bench/*.c test/bench/*.cpp))
bench_programs := $(patsubst test/bench/%,$(BUILD)/bench/%,$(basename $(bench_sources)))
test_headers := $(wildcard test/integration/*.h* test/bench/*.h*)

$(BUILD)/test/%: test/integration/%.cpp $(test_headers) $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-c++ $(program_flags) -Itest/integration $< -o $@
$(BUILD)/test/%: test/integration/%.c $(test_headers) $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-cc $(program_flags) -Itest/integration $< -o $@
$(BUILD)/bench/%: test/bench/%.cpp $(test_headers) $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-c++ $(program_flags) -Itest/bench $< -o $@
$(BUILD)/bench/%: test/bench/%.c $(test_headers) $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-cc $(program_flags) -Itest/bench $< -o $@

# ---- Unit tests on the host -----------------------------------------------------------------------
# The portable kernel, compiled for this machine against the hosted implementation of arch/, with
# sanitizers. unit-tests has no scheduler: what it runs never sleeps. ipc-tests has all of the
# kernel that is not the machine's, with programs on several harts. user-tests has parts of programs.
HOST := build/host
host_arch := $(wildcard test/host/arch/*.cpp)
host_trace := $(addprefix src/trace/,counters.cpp records.cpp warn.cpp)
host_lower := $(host_trace) $(sort $(shell find src/base src/sync src/mm src/wait src/object \
    src/memory -name '*.cpp'))
# Without the beginning and the end of the machine.
host_upper := $(sort $(filter-out $(host_trace) $(addprefix src/,trace/log.cpp trace/symbols.cpp main.cpp \
    $(addprefix process/,boot_options.cpp elf_image.cpp first_program.cpp panic.cpp)), \
    $(filter-out $(host_lower),$(shell find src -name '*.cpp'))) $(wildcard test/host/scheduled/*.cpp))
host_user := apps/shell/command_line apps/shell/line_editor servers/console/line_discipline \
    servers/init/manifest servers/tmp/memory_volume

host_unit_sources := $(sort $(wildcard test/host/*.cpp)) $(host_arch) $(host_lower)
host_ipc_sources := $(sort $(wildcard test/host/ipc/*.cpp)) $(host_arch) $(host_lower) $(host_upper)
host_user_sources := $(sort $(wildcard test/host/user/*.cpp)) test/host/arch/main.cpp \
    $(host_user:%=user/%.cpp)

host_common_flags := -std=c++23 -g -Wall -Wextra -Werror -DKAIROS_DEBUG=1
host_kernel_flags := $(host_common_flags) -DKAIROS_MEASURE=0 -O1 -Isrc -Iplatform/virt/include \
    -Itest/host/arch/include -Itest/host/scheduled/include -Itest/host
host_user_flags := $(host_common_flags) -O1 -Iuser -Iuser/apps -Iuser/servers -Iuser/include \
    -I$(HOST)/include
host_sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all
# Every taking of a lock is a point at which another hart may come in between.
host_lock_hooks := -Wl,--wrap=_Z15note_lock_taken8LockRank
host_tests := $(addprefix $(HOST)/,unit-tests ipc-tests user-tests)

$(HOST)/%.cpp.o: %.cpp
	@mkdir -p $(@D)
	$(call quiet,HOSTCXX,$<) g++ $(host_kernel_flags) $(host_sanitizers) -MMD -MP -c $< -o $@
# Programs see the contract as <kairos/abi/...>.
host_abi = mkdir -p $(HOST)/include/kairos && ln -sfn $(CURDIR)/src/abi $(HOST)/include/kairos/abi
$(HOST)/user/%.cpp.o: user/%.cpp
	@mkdir -p $(@D) && $(host_abi)
	$(call quiet,HOSTCXX,$<) g++ $(host_user_flags) $(host_sanitizers) -MMD -MP -c $< -o $@
$(HOST)/test/host/user/%.cpp.o: test/host/user/%.cpp
	@mkdir -p $(@D) && $(host_abi)
	$(call quiet,HOSTCXX,$<) g++ $(host_user_flags) $(host_sanitizers) -MMD -MP -c $< -o $@

$(HOST)/unit-tests: $(host_unit_sources:%=$(HOST)/%.o)
	$(call quiet,HOSTLD,$@) g++ $(host_sanitizers) $^ -o $@
$(HOST)/ipc-tests: $(host_ipc_sources:%=$(HOST)/%.o)
	$(call quiet,HOSTLD,$@) g++ $(host_sanitizers) $(host_lock_hooks) $^ -o $@
$(HOST)/user-tests: $(host_user_sources:%=$(HOST)/%.o)
	$(call quiet,HOSTLD,$@) g++ $(host_sanitizers) $^ -o $@
-include $(patsubst %,$(HOST)/%.d,$(sort $(host_unit_sources) $(host_ipc_sources) \
    $(host_user_sources)))

# What several threads use at once, under real threads and ThreadSanitizer (which does not know
# fences; what they order is atomic all the same).
thread_test_sources := $(sort $(wildcard test/host/threads/*.cpp))
thread_tests := $(thread_test_sources:test/host/threads/%.cpp=$(HOST)/threads/%)
$(HOST)/threads/%: test/host/threads/%.cpp
	@mkdir -p $(@D)
	$(call quiet,HOSTCXX,$<) g++ -std=c++23 -O1 -g -Wall -Wextra -Werror -Wno-tsan -Isrc \
	    -Itest/host/arch/include \
	    -DKAIROS_DEBUG=1 -fsanitize=thread -MMD -MP $< -o $@ -pthread
-include $(thread_tests:=.d)

# Files that nobody would make, for what reads files: the SDK's loader and the kernel's. By itself each makes the same
# damaged files every time; with clang's -fsanitize=fuzzer, and without main, they are fuzzers.
fuzz_tests := $(HOST)/fuzz/elf_file $(HOST)/fuzz/elf_image
$(HOST)/fuzz/elf_file: test/fuzz/elf_file.cpp test/fuzz/damaged_elf.h user/lib/elf_file.cpp \
    user/lib/elf_file.hpp src/abi/elf.h
	@mkdir -p $(@D) && $(host_abi)
	$(call quiet,HOSTCXX,$<) g++ -std=c++23 -O1 -g -Wall -Wextra -Werror -I. -Isrc -Iuser/include \
	    -I$(HOST)/include $(host_sanitizers) test/fuzz/elf_file.cpp user/lib/elf_file.cpp -o $@
$(HOST)/fuzz/elf_image: test/fuzz/elf_image.cpp test/fuzz/damaged_elf.h \
    $(HOST)/src/process/elf_image.cpp.o
	@mkdir -p $(@D)
	$(call quiet,HOSTCXX,$<) g++ $(host_kernel_flags) -I. $(host_sanitizers) \
	    test/fuzz/elf_image.cpp $(HOST)/src/process/elf_image.cpp.o -o $@

# ---- Running them ---------------------------------------------------------------------------------
panic_programs := $(patsubst test/panic/%.cpp,$(BUILD)/panic/%,$(sort $(wildcard test/panic/*.cpp)))
DEBUG_KERNEL := build/debug/kernel/kairos.elf

.PHONY: debug-kernel
debug-kernel:
	@$(MAKE) --no-print-directory CONFIG=debug kernel

# On the kernel of this configuration, and on a debug kernel, which checks itself as it goes.
.PHONY: test
test: sdk $(KERNEL) $(ARCHIVE) $(test_programs) $(panic_programs) $(host_tests) $(thread_tests) \
    $(fuzz_tests) debug-kernel
	@KAIROS_BUILD=$(BUILD) KAIROS_DEBUG_KERNEL=$(DEBUG_KERNEL) \
	    $(PYTHON) $(SUPPORT)/run_tests.py --kernel $(KERNEL) --debug-kernel $(DEBUG_KERNEL) \
	    --host $(host_tests) $(thread_tests) $(fuzz_tests) \
	    --python $(SUPPORT)/tests test/session test/panic \
	    $(if $(test_programs),--programs $(test_programs)) $(TESTFLAGS)

# A kernel of its own measures; exact counts need one hart, and an instruction a nanosecond.
.PHONY: quiet
quiet: sdk $(test_programs)
	@$(MAKE) CONFIG=measure kernel
	@$(PYTHON) $(SUPPORT)/run_tests.py --icount --kernel build/measure/kernel/kairos.elf \
	    --programs $(test_programs) $(TESTFLAGS)

.PHONY: bench
bench: sdk $(bench_programs)
	@for program in $(bench_programs); do \
	    $(SDK)/bin/kairos-run --icount --timeout 120 $$program 2>/dev/null || exit 1; done

# N random programs, started and ended, on 1, 2, 4 and 8 harts each.
.PHONY: soak
soak: N = 10000
soak: sdk $(KERNEL) $(BUILD)/test/soak
	@for harts in 1 2 4 8; do echo "  SOAK     $$harts harts"; \
	    $(SDK)/bin/kairos-run --kernel $(KERNEL) --harts $$harts --timeout 3600 \
	        $(BUILD)/test/soak $(N) 2>/dev/null || exit 1; done

# Reports of panics at N random points of a debug kernel.
$(BUILD)/panic/%: test/panic/%.cpp $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-c++ $(program_flags) $< -o $@
.PHONY: soak-panic
soak-panic: sdk debug-kernel $(BUILD)/test/stress
	@$(PYTHON) $(SUPPORT)/soak_panic.py --kernel $(DEBUG_KERNEL) --count $(N) $(BUILD)/test/stress

# A picture of a call between two processes on two harts.
TIMELINE := build/timeline
$(BUILD)/timeline/%: test/timeline/%.cpp $(headers_of_programs) $(SDK)/stamp
	@mkdir -p $(@D)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-c++ $(program_flags) $< -o $@
.PHONY: timeline
timeline: sdk $(BUILD)/timeline/two_harts
	@$(SDK)/bin/kairos-run --harts 2 --timeout 60 $(BUILD)/timeline/two_harts \
	    > $(TIMELINE).txt 2> $(TIMELINE).log || { cat $(TIMELINE).txt $(TIMELINE).log; exit 1; }
	@$(PYTHON) $(SUPPORT)/timeline.py --json $(TIMELINE).json --png $(TIMELINE).png $(TIMELINE).txt
	@echo '  TIMELINE $(TIMELINE).json $(TIMELINE).png'

.PHONY: soak-boot
soak-boot: sdk $(USER)/true $(ARCHIVE)
	@$(PYTHON) $(SUPPORT)/soak_boot.py --kernel $(KERNEL) --count $(N) $(USER)/true
	@$(PYTHON) $(SUPPORT)/soak_boot.py --kernel $(KERNEL) --count $(N) --shell $(ARCHIVE) \
	    $(USER)/true

# ---- Checks ---------------------------------------------------------------------------------------
cxx_files := $(sort $(shell find src arch platform user test -name '*.h' -o -name '*.hpp' \
    -o -name '*.cpp' -o -name '*.c'))
clang_system := $(shell $(CROSS)g++ -xc++ -E -v /dev/null 2>&1 | \
    sed -n '/^\#include </,/^End/s/^ \(\/.*\)/-isystem \1/p')

.PHONY: check
check: check-format check-includes check-scripts check-clang check-nocompile

.PHONY: check-format
check-format:
	$(call quiet,CHECK,formatting) clang-format-14 --dry-run -Werror $(cxx_files) || \
	    { echo 'make format puts this right'; exit 1; }

.PHONY: check-includes
check-includes:
	$(call quiet,CHECK,include rules) $(PYTHON) $(SUPPORT)/check_includes.py

shell_scripts := $(SUPPORT)/deps.sh $(SUPPORT)/docker_check.sh user/sdk/kairos-cc \
    user/sdk/prepare-libc
python_scripts := $(sort $(shell find test -name '*.py'))

.PHONY: check-scripts
check-scripts:
	$(call quiet,CHECK,scripts) for file in $(shell_scripts); do sh -n $$file || exit 1; done; \
	    bash -n .ci/run && $(PYTHON) $(SUPPORT)/check_python.py $(python_scripts)

# Clang compiles the kernel a second time, for its thread-safety analysis.
clang_compile = clang++-14 --target=riscv64-linux-gnu -march=rv64imac -mabi=lp64 -std=c++2b \
    -fsyntax-only -ffreestanding -fno-exceptions -fno-rtti -nostdinc++ -nostdlibinc \
    $(kernel_includes) $(clang_system) -DKAIROS_DEBUG=1 -DKAIROS_MEASURE=0 -Wall -Wextra -Werror -Wthread-safety
.PHONY: check-clang
check-clang: $(kernel_sources:%=$(BUILD)/clang/%.ok)

$(eval $(call record,$(BUILD)/clang/flags,$(clang_compile)))

$(BUILD)/clang/%.cpp.ok: %.cpp $(BUILD)/clang/flags | $(LIBFDT)/libfdt.h
	@mkdir -p $(@D)
	$(call quiet,CLANG,$<) $(clang_compile) -MD -MP -MT $@ -MF $(@:.ok=.d) $< && touch $@
-include $(kernel_sources:%=$(BUILD)/clang/%.d)

# What must not compile.
.PHONY: check-nocompile
check-nocompile:
	$(call quiet,CHECK,what must not compile) $(PYTHON) $(SUPPORT)/nocompile.py \
	    $(sort $(wildcard test/nocompile/*.cpp)) -- \
	    $(CROSS)g++ $(kernel_cxx_flags) -fsyntax-only -- $(clang_compile)

.PHONY: format
format:
	@clang-format-14 -i $(cxx_files)

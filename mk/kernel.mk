# The kernel: every C++ file below src/, arch/riscv and platform/virt, and libfdt. It is linked
# twice: the second link appends the table of symbol names that panics print, which moves no code.

CROSS := riscv64-linux-gnu-
KERNEL := $(BUILD)/kernel/kairos.elf
KERNEL_OBJECTS := $(BUILD)/kernel
LIBFDT := build/third_party/libfdt

kernel_sources := $(sort $(shell find src arch/riscv platform/virt -name '*.cpp'))
kernel_assembly := $(sort $(shell find arch/riscv -name '*.S'))
libfdt_sources := fdt.c fdt_ro.c fdt_addresses.c
kernel_objects := $(kernel_sources:%=$(KERNEL_OBJECTS)/%.o) \
                  $(kernel_assembly:%=$(KERNEL_OBJECTS)/%.o) \
                  $(libfdt_sources:%=$(KERNEL_OBJECTS)/libfdt/%.o)

kernel_includes := -Isrc -Iarch/riscv/include -Iplatform/virt/include -Iarch/riscv -I$(LIBFDT)
kernel_debug := $(if $(filter debug,$(CONFIG)),1,0)
# Whether a readiness hint that is wrong stops the kernel.
CONFIG_IPC_POLL_HINT_STRICT ?= $(kernel_debug)
# A release kernel is optimised as a whole: its files are small, and what they ask of each other is
# mostly a line or two, which should not cost a call.
# Some more is made inline than -O2 would: calls get 2 to 7 in 100 shorter, for 24 KiB.
kernel_lto := $(if $(filter release,$(CONFIG)),-flto=auto -frandom-seed=kairos \
    --param max-inline-insns-auto=22 --param inline-unit-growth=70)
kernel_common_flags := -ffreestanding -nostdlib -fno-pic -mcmodel=medany \
    -march=rv64imac_zicsr_zifencei -mabi=lp64 -O2 -g -fno-omit-frame-pointer \
    -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-stack-protector \
    -ffile-prefix-map=$(CURDIR)=. -fno-ident $(kernel_includes)
kernel_cxx_flags := $(kernel_common_flags) -std=c++23 -fno-exceptions -fno-rtti \
    -fno-threadsafe-statics -Wall -Wextra -Werror -DKAIROS_DEBUG=$(kernel_debug) \
    -DKAIROS_MEASURE=$(if $(filter measure,$(CONFIG)),1,0) \
    -DCONFIG_IPC_POLL_HINT_STRICT=$(CONFIG_IPC_POLL_HINT_STRICT) $(kernel_lto)

.PHONY: kernel
kernel: $(KERNEL)

$(LIBFDT)/libfdt.h:
	$(call quiet,FETCH,libfdt) $(PYTHON) $(SUPPORT)/third_party.py libfdt

# Flags are part of what an object is made from, the list of objects of what the kernel is.
$(eval $(call record,$(KERNEL_OBJECTS)/flags,$(kernel_cxx_flags)))
$(eval $(call record,$(KERNEL_OBJECTS)/objects,$(kernel_objects)))

$(KERNEL_OBJECTS)/%.cpp.o: %.cpp $(KERNEL_OBJECTS)/flags | $(LIBFDT)/libfdt.h
	@mkdir -p $(@D)
	$(call quiet,CXX,$<) $(CROSS)g++ $(kernel_cxx_flags) -MMD -MP -c $< -o $@

$(KERNEL_OBJECTS)/%.S.o: %.S $(KERNEL_OBJECTS)/flags
	@mkdir -p $(@D)
	$(call quiet,AS,$<) $(CROSS)gcc $(kernel_common_flags) -MMD -MP -c $< -o $@

$(KERNEL_OBJECTS)/libfdt/%.c.o: $(LIBFDT)/libfdt.h $(KERNEL_OBJECTS)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,libfdt/$*.c) $(CROSS)gcc $(kernel_common_flags) -c $(LIBFDT)/$*.c -o $@

kernel_link = $(CROSS)g++ $(kernel_cxx_flags) -static -Wl,--gc-sections -Wl,--build-id=none \
    -Wl,-z,max-page-size=4096 -T linker/kernel.ld $(kernel_objects)

$(KERNEL_OBJECTS)/symbols-none.o $(KERNEL_OBJECTS)/symbols.o: %.o: %.S
	@$(CROSS)gcc -march=rv64imac -mabi=lp64 -c $< -o $@

$(KERNEL_OBJECTS)/symbols-none.S: $(SUPPORT)/symbols.py
	@mkdir -p $(@D)
	@$(PYTHON) $(SUPPORT)/symbols.py > $@

$(KERNEL_OBJECTS)/first-link.elf: $(kernel_objects) $(KERNEL_OBJECTS)/symbols-none.o linker/kernel.ld \
        $(KERNEL_OBJECTS)/objects
	@$(kernel_link) $(KERNEL_OBJECTS)/symbols-none.o -o $@

$(KERNEL_OBJECTS)/symbols.S: $(KERNEL_OBJECTS)/first-link.elf $(SUPPORT)/symbols.py
	@$(PYTHON) $(SUPPORT)/symbols.py $< > $@

$(KERNEL): $(kernel_objects) $(KERNEL_OBJECTS)/symbols.o linker/kernel.ld $(KERNEL_OBJECTS)/objects
	$(call quiet,LD,$@) $(kernel_link) $(KERNEL_OBJECTS)/symbols.o -o $@

# One line per file, for editors and other tools.
compile_commands.json: $(MAKEFILE_LIST)
	@{ between='['; for file in $(kernel_sources); do \
	    printf '%s\n{"directory": "%s", "file": "%s", "command": "%s"}' "$$between" '$(CURDIR)' \
	        "$$file" '$(CROSS)g++ $(kernel_cxx_flags) -c '"$$file"; between=','; \
	done; printf '\n]\n'; } > $@

-include $(kernel_objects:.o=.d)

# The SDK, in build/sdk, of the configuration built last: headers, start code, libkairos, picolibc,
# and the commands kairos-cc, kairos-c++ and kairos-run. It needs nothing of this tree; of the
# machine it needs the cross compiler, and QEMU to run programs.

PICOLIBC := /usr/lib/picolibc/riscv64-unknown-elf
SDK_OBJECTS := $(BUILD)/sdk-objects

sdk_cxx_sources := $(sort $(wildcard user/lib/*.cpp user/libc/*.cpp))
sdk_c_sources := $(sort $(wildcard user/lib/*.c user/libc/*.c))
sdk_assembly := $(sort $(wildcard user/lib/*.S))
sdk_objects := $(patsubst %,$(SDK_OBJECTS)/%.o,$(sdk_cxx_sources) $(sdk_c_sources) $(sdk_assembly))
# Stands in for the unwinder in C++ programs that are linked without -fexceptions.
sdk_terminate_objects := $(patsubst %,$(SDK_OBJECTS)/%.o,$(wildcard user/lib/without_exceptions/*.cpp))
sdk_start := $(SDK_OBJECTS)/user/lib/start.S.o
sdk_headers := $(sort $(shell find user/include user/lib/c++ src/abi -type f))
sdk_tools := $(addprefix $(SUPPORT)/,kairos_run.py machine.py archive.py)

# Headers of the compiler itself, and of its C++ library. Asked for when first needed, once.
sdk_c_folder = $(eval sdk_c_folder := $(shell $(CROSS)gcc -print-file-name=include))$(sdk_c_folder)
sdk_cxx_folders = $(eval sdk_cxx_folders := $(realpath $(shell \
    $(CROSS)g++ -E -v -x c++ /dev/null 2>&1 | \
    sed -n '/\#include </,/^End/s/^ //p' | grep 'c++/')))$(sdk_cxx_folders)
sdk_flags := -O2 -g -march=rv64gc -mabi=lp64d -mcmodel=medany -fPIE -ftls-model=local-exec \
    -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
    -fno-stack-protector -nostdinc -U__linux__ -U__linux -Ulinux -U__gnu_linux__ -U__unix__ \
    -U__unix -Uunix -D__kairos__=1 -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=200112L \
    -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror
# A function that copies is not to be made a call of itself.
sdk_cxx_flags := -std=gnu++23 -fno-exceptions -fno-rtti -fno-threadsafe-statics \
    -fno-tree-loop-distribute-patterns -isystem user/lib/c++

.PHONY: sdk
sdk: $(SDK)/stamp

sdk_made_from = $(sdk_flags) $(sdk_cxx_flags) $(sdk_objects) $(sdk_terminate_objects)
$(eval $(call record,$(SDK_OBJECTS)/made-from,$(sdk_made_from)))
$(eval $(call record,$(SDK_OBJECTS)/headers,$(sdk_headers)))

$(SDK)/include/stamp: $(sdk_headers) $(SDK_OBJECTS)/headers
	$(call quiet,HEADERS,$(SDK)/include) rm -rf $(@D) && mkdir -p $(@D)/kairos/abi $(@D)/c++ && \
	    cp -r $(PICOLIBC)/include/. $(@D) && rm -rf $(@D)/release && \
	    cp -r user/include/. $(@D) && cp src/abi/*.h $(@D)/kairos/abi && \
	    cp -r user/lib/c++/. $(@D)/c++ && touch $@

$(SDK_OBJECTS)/%.cpp.o: %.cpp $(SDK)/include/stamp $(SDK_OBJECTS)/made-from
	@mkdir -p $(@D)
	$(call quiet,CXX,$<) $(CROSS)g++ $(sdk_flags) $(sdk_cxx_flags) \
	    $(addprefix -isystem ,$(sdk_cxx_folders) $(SDK)/include $(sdk_c_folder)) -MMD -MP -c $< -o $@
$(SDK_OBJECTS)/%.c.o: %.c $(SDK)/include/stamp $(SDK_OBJECTS)/made-from
	@mkdir -p $(@D)
	$(call quiet,CC,$<) $(CROSS)gcc $(sdk_flags) -std=gnu11 \
	    $(addprefix -isystem ,$(SDK)/include $(sdk_c_folder)) -MMD -MP -c $< -o $@
$(SDK_OBJECTS)/user/lib/%.S.o: user/lib/%.S $(SDK)/include/stamp $(SDK_OBJECTS)/made-from
	@mkdir -p $(@D)
	$(call quiet,AS,$<) $(CROSS)gcc $(sdk_flags) \
	    $(addprefix -isystem ,$(SDK)/include $(sdk_c_folder)) -MMD -MP -c $< -o $@
-include $(sdk_objects:.o=.d) $(sdk_terminate_objects:.o=.d)

$(SDK_OBJECTS)/libkairos.a: $(filter-out $(sdk_start),$(sdk_objects)) $(SDK_OBJECTS)/made-from
	$(call quiet,AR,$@) rm -f $@ && $(CROSS)ar rcsD $@ $(filter %.o,$^)

$(SDK_OBJECTS)/libkairos-without-exceptions.a: $(sdk_terminate_objects) $(SDK_OBJECTS)/made-from
	$(call quiet,AR,$@) rm -f $@ && $(CROSS)ar rcsD $@ $(filter %.o,$^)

$(SDK_OBJECTS)/libc.a: user/sdk/prepare-libc
	@mkdir -p $(@D)
	$(call quiet,COPY,picolibc) sh user/sdk/prepare-libc \
	    $(PICOLIBC)/lib/release/rv64imafdc/lp64d/libc.a $@ $(CROSS)

$(SDK)/stamp: $(SDK_OBJECTS)/libkairos.a $(SDK_OBJECTS)/libkairos-without-exceptions.a \
        $(SDK_OBJECTS)/libc.a $(sdk_start) $(KERNEL) linker/user.ld \
        $(sort $(wildcard user/sdk/*)) $(sdk_tools) $(SDK_OBJECTS)/configuration
	$(call quiet,SDK,$(SDK)) rm -rf $(SDK)/lib $(SDK)/bin $(SDK)/share && \
	    mkdir -p $(SDK)/lib $(SDK)/bin $(SDK)/share && \
	    cp $(SDK_OBJECTS)/*.a linker/user.ld user/sdk/*.specs \
	        $(SDK)/lib && cp $(sdk_start) $(SDK)/lib/crt0.o && \
	    $(CROSS)ar rcsD $(SDK)/lib/libm.a && \
	    printf '%s\n' $(sdk_c_folder) $(sdk_cxx_folders) > $(SDK)/lib/compiler-headers && \
	    cp user/sdk/kairos-cc $(SDK)/bin/kairos-cc && ln -sf kairos-cc $(SDK)/bin/kairos-c++ && \
	    cp $(SUPPORT)/kairos_run.py $(SDK)/bin/kairos-run && \
	    chmod +x $(SDK)/bin/kairos-cc $(SDK)/bin/kairos-run && \
	    cp $(SUPPORT)/machine.py $(SUPPORT)/archive.py $(SDK)/share && \
	    cp $(KERNEL) $(SDK)/share/kairos.elf && touch $@

# Changes when another configuration was the last to be put into the SDK.
$(SDK_OBJECTS)/configuration: FORCE
	@mkdir -p $(@D)
	@[ "$$(cat build/sdk.configuration 2>/dev/null)" = $(CONFIG) ] && [ -f $@ ] || \
	    { echo $(CONFIG) > build/sdk.configuration; touch $@; }

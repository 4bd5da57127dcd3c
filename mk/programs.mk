# User programs and what boots them. Each folder of user/servers and user/apps is a program, named
# after it; each file of test/integration and test/bench is one too.

USER := $(BUILD)/user
program_folders := $(sort $(wildcard user/servers/*/ user/apps/*/))
own_programs := $(filter-out common,$(notdir $(program_folders:%/=%)))
# Those of others have a makefile each.
program_names := $(sort $(own_programs) lua)
programs := $(program_names:%=$(USER)/%)
program_flags := -O2 -g -Wall -Wextra -Werror -Iuser -ffile-prefix-map=$(CURDIR)=.

.PHONY: programs
programs: $(programs)

# What these have in common is in user/servers/common.
file_servers := archive tmp
sources_of = $(sort $(wildcard user/servers/$(1)/*.c user/servers/$(1)/*.cpp \
                               user/apps/$(1)/*.c user/apps/$(1)/*.cpp \
                               $(if $(filter $(1),$(file_servers)),user/servers/common/*.cpp)))
headers_of_programs := $(wildcard user/protocols/* user/apps/common/* user/servers/*/*.h* \
                                  user/apps/*/*.h*)

program_sources = $(foreach program,$(own_programs),$(call sources_of,$(program)))
$(eval $(call record,$(USER)/made-from,$(program_flags) $(program_sources)))

define program_rule
$(USER)/$(1): $(call sources_of,$(1)) $(headers_of_programs) $(SDK)/stamp $(USER)/made-from
	@mkdir -p $$(@D)
	$$(call quiet,LINK,$$@) $(SDK)/bin/$(if $(filter %.cpp,$(call sources_of,$(1))),kairos-c++,kairos-cc) \
	    $(program_flags) $(call sources_of,$(1)) -o $$@
endef
$(foreach program,$(own_programs),$(eval $(call program_rule,$(program))))
include mk/lua.mk

# The boot archive: programs, the manifest that init reads, and files.
ARCHIVE := $(BUILD)/archive.img
archive_files := $(sort $(shell find user/files -type f 2>/dev/null))
archive_entries := $(foreach program,$(program_names),$(program)=$(USER)/stripped/$(program)) \
                   manifest=user/servers/init/manifest \
                   $(foreach file,$(archive_files),$(file:user/files/%=%)=$(file))

$(eval $(call record,$(USER)/archive-entries,$(archive_entries)))

# What is booted does without debug information. It is kept beside, in a file that the program names.
$(USER)/debug/%.debug: $(USER)/%
	@mkdir -p $(@D)
	@$(CROSS)objcopy --only-keep-debug $< $@

$(USER)/stripped/%: $(USER)/% $(USER)/debug/%.debug
	@mkdir -p $(@D)
	@$(CROSS)objcopy --strip-all --add-gnu-debuglink=$(USER)/debug/$*.debug $< $@

$(ARCHIVE): $(program_names:%=$(USER)/stripped/%) user/servers/init/manifest $(archive_files) $(SUPPORT)/archive.py \
        $(USER)/archive-entries
	$(call quiet,ARCHIVE,$@) $(PYTHON) $(SUPPORT)/archive.py $@ $(archive_entries)

qemu_command = qemu-system-riscv64 -M virt -cpu rv64 -smp $(HARTS) -m $(MEMORY) -nographic \
    -no-reboot -bios default -kernel $(KERNEL) -initrd $(ARCHIVE) -append 'init=init'

.PHONY: qemu
qemu: $(KERNEL) $(ARCHIVE) compile_commands.json
	@echo '  QEMU     $(HARTS) harts, $(MEMORY) MiB; leave with "shutdown", or ctrl-a x'
	@$(qemu_command)

# gdb attaches to the server inside QEMU and loads the commands of $(SUPPORT)/kairos_gdb.py.
.PHONY: debug
debug: $(KERNEL) $(ARCHIVE)
	@echo '  QEMU     waits for gdb on port 1234; its console is in $(BUILD)/console.log'
	@$(qemu_command) -S -s > $(BUILD)/console.log 2>&1 < /dev/null & pid=$$!; \
	    gdb-multiarch -q $(KERNEL) -ex 'set architecture riscv:rv64' \
	        -ex 'target remote :1234' -x $(SUPPORT)/kairos_gdb.py; \
	    kill $$pid 2>/dev/null || true

# What is given to others, in build/images: always release, and the same bytes from the same source
# wherever and by whomever it is made (docs/building.md, "Images").

VERSION := $(strip $(shell cat VERSION))
IMAGES := build/images
IMAGE := $(IMAGES)/kairos-$(VERSION)

# The only date that what is built may bear: that of the version.
export SOURCE_DATE_EPOCH := $(shell $(PYTHON) $(SUPPORT)/version.py epoch)

program_images := $(program_names:%=$(USER)/stripped/%)
program_debug := $(program_names:%=$(USER)/debug/%.debug)

.PHONY: images
images: $(KERNEL) $(ARCHIVE) $(program_images) $(program_debug) $(SDK)/stamp
	$(if $(filter-out release,$(CONFIG)),$(error images are made with CONFIG=release))
	@rm -rf $(IMAGES) && mkdir -p $(IMAGES)
	@cp $(ARCHIVE) $(IMAGE)-archive.img
	@$(CROSS)objcopy --only-keep-debug $(KERNEL) $(IMAGES)/kairos.elf.debug
	@$(CROSS)objcopy --strip-all --add-gnu-debuglink=$(IMAGES)/kairos.elf.debug $(KERNEL) \
	    $(IMAGE)-kernel.elf
	@$(PYTHON) $(SUPPORT)/pack.py $(IMAGE)-programs.tar.gz kairos-$(VERSION)-programs \
	    $(program_images)
	@$(PYTHON) $(SUPPORT)/pack.py $(IMAGE)-debug.tar.gz kairos-$(VERSION)-debug \
	    $(IMAGES)/kairos.elf.debug $(program_debug)
	@$(PYTHON) $(SUPPORT)/pack.py $(IMAGE)-sdk.tar.gz kairos-$(VERSION)-sdk \
	    $(SDK)/bin $(SDK)/include $(SDK)/lib $(SDK)/share
	@rm $(IMAGES)/kairos.elf.debug
	@$(PYTHON) $(SUPPORT)/sbom.py $(IMAGE).spdx.json $(VERSION) $(IMAGES)
	@cd $(IMAGES) && sha256sum kairos-* > SHA256SUMS
	@cat $(IMAGES)/SHA256SUMS

.PHONY: reproduce
reproduce:
	@$(PYTHON) $(SUPPORT)/reproduce.py $(REPRODUCEFLAGS)

# STAGES are built besides `artifacts`.
.PHONY: docker-check
docker-check: images
	@sh $(SUPPORT)/docker_check.sh build/container $(IMAGES) $(STAGES)

# Versions of packages that the Dockerfile installs, as they are on this machine.
.PHONY: lock
lock:
	@sh $(SUPPORT)/deps.sh --versions > mk/packages.lock

# What leaves the house: the version's images, twice built, and what CHANGES.md says about it.
RELEASE := build/release-$(VERSION)
.PHONY: release
release:
	@$(PYTHON) $(SUPPORT)/version.py check
	@$(MAKE) reproduce
	@rm -rf $(RELEASE) && cp -r build/reproduce/first $(RELEASE)
	@$(PYTHON) $(SUPPORT)/version.py notes > $(RELEASE)/NOTES.md
	@echo '  RELEASE  $(RELEASE)'

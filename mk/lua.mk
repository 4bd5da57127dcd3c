# The Lua interpreter, a program of the boot archive that nobody here wrote: its sources as they are
# (test/support/third_party.py), compiled with the SDK as any program would be.

LUA := build/third_party/lua
LUA_OBJECTS := $(USER)/lua-objects
lua_parts := lapi lauxlib lbaselib lcode lcorolib lctype ldblib ldebug ldo ldump lfunc lgc linit \
             liolib llex lmathlib lmem loadlib lobject lopcodes loslib lparser lstate lstring \
             lstrlib ltable ltablib ltm lua lundump lutf8lib lvm lzio
lua_objects := $(lua_parts:%=$(LUA_OBJECTS)/%.o)
lua_flags := -std=gnu11 -O2 -g -Wall -ffile-prefix-map=$(CURDIR)=. -I$(LUA) \
             -include user/lua/configuration.h

$(eval $(call record,$(LUA_OBJECTS)/flags,$(lua_flags)))

$(LUA)/lua.h:
	$(call quiet,FETCH,lua) $(PYTHON) $(SUPPORT)/third_party.py lua

$(LUA_OBJECTS)/%.o: $(LUA)/lua.h user/lua/configuration.h $(SDK)/stamp $(LUA_OBJECTS)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,lua/$*.c) $(SDK)/bin/kairos-cc $(lua_flags) -c $(LUA)/$*.c -o $@

$(USER)/lua: $(lua_objects)
	$(call quiet,LINK,$@) $(SDK)/bin/kairos-cc $(lua_objects) -o $@

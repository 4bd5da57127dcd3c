/* What Lua may be told from outside; read before each of its files. */
#ifndef KAIROS_LUA_CONFIGURATION_H
#define KAIROS_LUA_CONFIGURATION_H

#include <unistd.h>

/* Without arguments it talks to a person if there is one, or else runs what it reads. */
#define lua_stdin_is_tty() isatty(STDIN_FILENO)

/* Where `require` looks: in the boot archive, and in /tmp. There are no libraries in C to load. */
#define LUA_PATH_DEFAULT "?.lua;/tmp/?.lua"
#define LUA_CPATH_DEFAULT ""

#endif

/* Topics and structs of kairos_object_info, and the lines of kairos_system_list. */
#ifndef KAIROS_INFO_H
#define KAIROS_INFO_H

#include <kairos/abi/info.h>

#endif

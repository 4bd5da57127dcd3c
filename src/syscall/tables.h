// The two tables that trap entry may jump through: the plain one, and one whose entries also record
// that a call is entered and left. So calls cost nothing more while they are not recorded.
#pragma once

#include <cstdint>

// For all harts that exist, from each hart's next call on.
void choose_system_call_tables(bool recorded);

// Which kinds of events are recorded, and with them the table (trace/records.h).
void switch_trace(uint32_t kinds);

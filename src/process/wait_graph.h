// Who waits for whom, as a panic prints it: each sleeping thread, what it sleeps on, and the
// processes that could end that; a cycle among them is named. For a machine whose harts stand
// still: takes no lock.
#pragma once

void print_wait_graph();

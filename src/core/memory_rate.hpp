#pragma once

namespace edgelab {

// Bytes a second that `threads` threads read together from main memory, each from a part of its own: the sloping roof of a
// roofline. Reading alone (STREAM, McCalpin 1995, also writes), since it is the most that a layer can get, and layers read far
// more than they write. The best of a few rounds through a buffer twice as large as the largest cache, of 64 to 256 MiB.
//
// Takes these threads for some 100 ms, and that much memory, which counts for the process's highest resident set; what else runs
// then makes it less. Not to be called while a plan runs. 0 where the memory is not to be had.
double measured_memory_read_rate(int threads);

}  // namespace edgelab

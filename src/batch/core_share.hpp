#pragma once

#include <optional>
#include <vector>

namespace edgelab::batch {

// The cores of rank `index` among the `count` ranks of one host: a contiguous piece of `cores`, the first ranks getting one
// more where it doesn't divide, and at least one core, shared, where ranks outnumber cores.
//
// Launchers can't be trusted with this: mpirun -n 1 binds to one core, -n 2 to one each, -n 3 to none at all, so the same
// job file would measure different hardware by the number of ranks.
std::vector<int> core_share(const std::vector<int>& cores, int index, int count);

// Where a job's thread may run: the rank's share, or every core of the host when the job asks for more threads than that
// (two threads bound to one core would only take turns).
std::vector<int> cores_of_job(const std::vector<int>& cores, int index, int count, std::optional<int> threads);

}  // namespace edgelab::batch

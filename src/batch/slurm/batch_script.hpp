#pragma once

#include <string_view>

namespace edgelab::batch::slurm {

// cluster/slurm/edgelab.sbatch, as it was when this program was built.
std::string_view batch_script();

}  // namespace edgelab::batch::slurm

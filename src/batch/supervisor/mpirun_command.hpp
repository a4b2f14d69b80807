#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "batch/cluster_spec.hpp"

namespace edgelab::batch {

// How edgelab starts mpirun, Open MPI's 4 or 5: by arguments that both know and by variables, since MCA parameters have
// moved between command-line options. Nothing here goes through a shell.

// mpirun -n RANKS --hostfile FILE … COMMAND…; `exported`: variables that hosts other than this one are to see. `survives`: with
// `--with-ft ulfm`, so that ranks outlive each other (parallel/failures.hpp).
std::vector<std::string> mpirun_arguments(int ranks, const std::filesystem::path& host_file, const std::vector<std::string>& exported,
                                          const std::vector<std::string>& command, bool survives = false);

// Whether the mpirun on PATH and this program's MPI can let ranks outlive each other: both are of Open MPI 5, built with ULFM. False if
// the user has set OMPI_MCA_mpi_ft_enable, to whatever. Starts `mpirun --version`, and gives it 5 s to answer.
bool mpirun_can_survive_failures();
// The same of what `mpirun --version` says. Pure.
bool is_open_mpi_with_ulfm(std::string_view version);

// What mpirun's environment must hold beside ours; what the user has set stays as it is.
std::map<std::string, std::string> mpirun_variables(const ClusterSpec& cluster, bool as_root);

// Of "NAME=VALUE" lines the names that concern edgelab and the libraries it computes with.
std::vector<std::string> variables_to_export(const std::vector<std::string>& environment);

// The host that mpirun gives a rank, host by host as mpi_host_file() lists them; "" beyond the last.
std::string host_of_rank(const std::vector<HostSpec>& hosts, int rank);

}  // namespace edgelab::batch

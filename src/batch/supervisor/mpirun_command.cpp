#include "batch/supervisor/mpirun_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "batch/supervisor/subprocess.hpp"
#include "core/clock.hpp"
#include "parallel/failures.hpp"

namespace edgelab::batch {
namespace {

constexpr std::int64_t kVersionNs = 5'000'000'000;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// Open MPI 5 hands processes to PRRTE, whose parameters have their own prefix. A name that one of them does not know does
// no harm.
void set_for_launchers(std::map<std::string, std::string>& variables, const std::string& name, const std::string& value) {
  variables["OMPI_MCA_" + name] = value;
  variables["PRTE_MCA_" + name] = value;
}

}  // namespace

std::vector<std::string> mpirun_arguments(int ranks, const std::filesystem::path& host_file, const std::vector<std::string>& exported,
                                          const std::vector<std::string>& command, bool survives) {
  std::vector<std::string> arguments = {"mpirun", "-n", std::to_string(ranks), "--hostfile", host_file.string(), "--map-by", "slot",
                                        "--bind-to", "none"};  // edgelab divides the cores of a host itself
  if (survives) arguments.insert(arguments.end(), {"--with-ft", "ulfm"});
  for (const std::string& name : exported) arguments.insert(arguments.end(), {"-x", name});
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

bool is_open_mpi_with_ulfm(std::string_view version) {
  constexpr std::string_view kName = "(Open MPI) ";
  constexpr int kFirstWithUlfm = 5;
  const std::size_t at = version.find(kName);
  if (at == std::string_view::npos) return false;
  int major = 0;
  const std::string_view number = version.substr(at + kName.size());
  std::from_chars(number.data(), number.data() + number.size(), major);
  return major >= kFirstWithUlfm;
}

bool mpirun_can_survive_failures() {
  if (!parallel::mpi_can_survive_failures() || std::getenv("OMPI_MCA_mpi_ft_enable") != nullptr) return false;
  Subprocess mpirun({"mpirun", "--version"});
  return is_open_mpi_with_ulfm(mpirun.output_to_end(now_ns() + kVersionNs));
}

std::map<std::string, std::string> mpirun_variables(const ClusterSpec& cluster, bool as_root) {
  std::map<std::string, std::string> variables;
  // mpirun ends a crashed job by SIGCONT, this time, SIGTERM, this time again, SIGKILL. Whoever needs time gets it from the
  // guards (guard.hpp); a crash need not cost any.
  set_for_launchers(variables, "odls_base_sigkill_timeout", "0");
  // A host whose power is gone sends nothing: after 25 s it counts as lost, not after the 8 minutes of Open MPI's default.
  set_for_launchers(variables, "oob_tcp_keepalive_time", "10");
  set_for_launchers(variables, "oob_tcp_keepalive_intvl", "5");
  set_for_launchers(variables, "oob_tcp_keepalive_probes", "3");
  if (!cluster.interfaces.empty()) {
    set_for_launchers(variables, "oob_tcp_if_include", joined(cluster.interfaces));
    variables["OMPI_MCA_btl_tcp_if_include"] = joined(cluster.interfaces);
  }
  if (as_root) {
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "PRTE_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"}) {
      variables[name] = "1";
    }
  }
  return variables;
}

std::vector<std::string> variables_to_export(const std::vector<std::string>& environment) {
  std::vector<std::string> names;
  for (const std::string& line : environment) {
    for (const std::string_view prefix : {"EDGELAB_", "OMP_", "ONEDNN_", "DNNL_", "NO_COLOR="}) {
      if (line.starts_with(prefix)) names.push_back(line.substr(0, line.find('=')));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string host_of_rank(const std::vector<HostSpec>& hosts, int rank) {
  for (const HostSpec& host : hosts) {
    if (rank < host.ranks) return host.name;
    rank -= host.ranks;
  }
  return "";
}

}  // namespace edgelab::batch

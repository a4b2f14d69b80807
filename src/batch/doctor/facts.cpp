#include "batch/doctor/facts.hpp"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>

#include "core/machine.hpp"

namespace edgelab::batch::doctor {
namespace fs = std::filesystem;
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t"), to = text.find_last_not_of(" \t");
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// The value of "NAME = VALUE" in one of Open MPI's parameter files; "" if it is not there.
std::string parameter_in(const fs::path& path, const std::string& name) {
  std::ifstream file(path);
  std::string value;
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && trimmed(line.substr(0, equals)) == name)
      value = trimmed(line.substr(equals + 1));
  }
  return value;
}

// As Open MPI looks for it: the environment, the user's file, the system's.
std::string mpi_parameter(const fs::path& root, const std::string& name) {
  if (const char* value = std::getenv(("OMPI_MCA_" + name).c_str())) return value;
  if (const char* home = std::getenv("HOME")) {
    const std::string own = parameter_in(root / fs::path(home).relative_path() / ".openmpi/mca-params.conf", name);
    if (!own.empty()) return own;
  }
  return parameter_in(root / "etc/openmpi/openmpi-mca-params.conf", name);
}

std::int64_t free_bytes_at(const fs::path& file) {
  std::error_code error;
  const fs::space_info space = fs::space(file.parent_path(), error);
  return error ? 0 : static_cast<std::int64_t>(space.available);
}

}  // namespace

HostFacts gather_facts(ProgramFacts program, const fs::path& root) {
  const Machine& machine = this_machine();
  HostFacts facts;
  facts.disk_free_bytes = free_bytes_at(program.path);
  facts.program = std::move(program);
  facts.host_name = machine.host_name;
  facts.cpu_model = machine.cpu_model;
  facts.features = machine.features;
  facts.cores = machine.cores;
  facts.kernel = machine.kernel;
  facts.operating_system = machine.operating_system;
  utsname system{};
  if (uname(&system) == 0) facts.architecture = system.machine;
  facts.governor = read_governor(root);
  facts.memory = read_memory_state(root);
  facts.thermal = read_thermal_state(root);
  facts.interfaces = read_interfaces(root, interface_addresses());
  facts.mpi_include = mpi_parameter(root, "btl_tcp_if_include");
  facts.mpi_exclude = mpi_parameter(root, "btl_tcp_if_exclude");
  return facts;
}

}  // namespace edgelab::batch::doctor

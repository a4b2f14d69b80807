#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/host_state.hpp"
#include "core/network_interfaces.hpp"

namespace edgelab::batch::doctor {

struct ProgramFacts {
  std::string path, sha256;
  std::string build;                                           // version and commit: what ranks compare when they start
  std::vector<std::pair<std::string, std::string>> libraries;  // name, version
  bool operator==(const ProgramFacts&) const = default;
};

// What a host tells of itself. Gathered apart from what is made of it (findings.hpp).
struct HostFacts {
  ProgramFacts program;
  std::string host_name, architecture, cpu_model, kernel, operating_system, governor;
  std::vector<std::string> features;  // of the processor, as /proc/cpuinfo names them
  int cores = 1;
  MemoryState memory;
  ThermalState thermal;
  std::int64_t disk_free_bytes = 0;  // where the program lies, for this user
  std::vector<NetworkInterface> interfaces;
  std::string mpi_include, mpi_exclude;  // Open MPI's btl_tcp_if_include and _exclude, where the host sets them
  bool operator==(const HostFacts&) const = default;
};

// `root`: "/", or a folder that a test has filled with files of the kernel's and of /etc.
HostFacts gather_facts(ProgramFacts program, const std::filesystem::path& root);

// One line of JSON, schema "edgelab-facts/1", and back. The line may come from another host and another build: reading
// throws Error (data) if it is not such a line.
std::string facts_to_json(const HostFacts& facts);
HostFacts facts_from_json(std::string_view line);
inline constexpr std::string_view kFactsStart = "{\"schema\":\"edgelab-facts/1\"";

}  // namespace edgelab::batch::doctor

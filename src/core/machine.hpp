#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab {

// What this process may use of the host it runs on. Read once from the kernel; nothing is measured.
struct Machine {
  std::string host_name;
  std::string cpu_model;
  std::vector<std::string> features;  // as /proc/cpuinfo names them: "avx512f", "avx512_bf16", "asimddp", …
  int cores = 1;                      // cores that the cgroup and the initial affinity of the container give
  std::int64_t memory_bytes = 0;
  std::string kernel;
  std::string governor;  // "" where the kernel doesn't tell
  std::string operating_system;

  bool has(std::string_view feature) const;
};

const Machine& this_machine();

std::string host_name();  // alone, for who may not wait

// Whether `features`, names of /proc/cpuinfo, hold the one that a person calls `wanted`: the kernel's own name with '-' or
// '.' for '_' if they like (avx512-bf16, sse4.2), or a name that the kernel has another word for (neon-dotprod, fp16).
bool has_feature(const std::vector<std::string>& features, std::string_view wanted);

// Highest resident set of this process, bytes (VmHWM), since it began or since reset_peak_resident(), which is no more than a
// wish: some containers forbid it.
std::int64_t peak_resident_bytes();
void reset_peak_resident() noexcept;

// What the cgroup lets this process's threads use of the processor together: `run_ns` in every `period_ns`, and they stand still for the
// rest. Read anew at every call.
struct CpuQuota {
  double run_ns = 0.0, period_ns = 0.0;
};
std::optional<CpuQuota> cpu_quota();  // nothing where there is none

// Cores that this process may run on, whatever a launcher bound it to: the container's cpuset, cut by its CPU quota.
std::vector<int> usable_cores();

// Binds the calling thread, and threads it starts from now on, to these cores. Returns false if the kernel refuses.
bool bind_to_cores(const std::vector<int>& cores);

}  // namespace edgelab

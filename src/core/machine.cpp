#include "core/machine.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/host_files.hpp"

namespace edgelab {
namespace {

// The value of "key : value" in a /proc file; "" if there is no such key.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

// Cores that the cgroup's CPU quota pays for, rounded up; 0 if there is no quota.
int quota_cores() {
  const std::optional<CpuQuota> quota = cpu_quota();
  return quota ? static_cast<int>(quota->run_ns / quota->period_ns + 0.999) : 0;
}

std::string operating_system_name() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("PRETTY_NAME=\"", 0) == 0) return line.substr(13, line.size() - 14);
  }
  return "";
}

#ifdef __aarch64__
// From the kernel's auxiliary vector: an emulator that runs one program (qemu-user) shows it the host's /proc/cpuinfo.
std::vector<std::string> processor_features() {
  struct Feature {
    unsigned long bit;
    std::string_view name;
  };
  constexpr Feature kFirst[] = {
      {HWCAP_FP, "fp"},         {HWCAP_ASIMD, "asimd"},         {HWCAP_AES, "aes"},         {HWCAP_PMULL, "pmull"},       {HWCAP_SHA1, "sha1"},
      {HWCAP_SHA2, "sha2"},     {HWCAP_CRC32, "crc32"},         {HWCAP_ATOMICS, "atomics"}, {HWCAP_FPHP, "fphp"},         {HWCAP_ASIMDHP, "asimdhp"},
      {HWCAP_CPUID, "cpuid"},   {HWCAP_ASIMDRDM, "asimdrdm"},   {HWCAP_LRCPC, "lrcpc"},     {HWCAP_DCPOP, "dcpop"},       {HWCAP_ASIMDDP, "asimddp"},
      {HWCAP_SVE, "sve"},       {HWCAP_ASIMDFHM, "asimdfhm"}};
  constexpr Feature kSecond[] = {{HWCAP2_SVE2, "sve2"}, {HWCAP2_I8MM, "i8mm"}, {HWCAP2_BF16, "bf16"}};
  std::vector<std::string> features;
  const auto add = [&features](const auto& table, unsigned long bits) {
    for (const Feature& feature : table) {
      if ((bits & feature.bit) != 0) features.emplace_back(feature.name);
    }
  };
  add(kFirst, getauxval(AT_HWCAP));
  add(kSecond, getauxval(AT_HWCAP2));
  return features;
}
#else
std::vector<std::string> processor_features() { return words(proc_value("/proc/cpuinfo", "flags")); }
#endif

Machine read_machine() {
  Machine machine;
  machine.host_name = host_name();
  machine.cpu_model = proc_value("/proc/cpuinfo", "model name");
  if (machine.cpu_model.empty()) machine.cpu_model = proc_value("/proc/cpuinfo", "Model");  // Raspberry Pi
  machine.features = processor_features();
  machine.cores = static_cast<int>(usable_cores().size());
  machine.memory_bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  utsname system{};
  if (uname(&system) == 0) machine.kernel = std::string(system.sysname) + " " + system.release;
  machine.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  machine.operating_system = operating_system_name();
  return machine;
}

// What people call a feature, and the words of /proc/cpuinfo any one of which means it.
struct FeatureAlias {
  std::string_view name;
  std::array<std::string_view, 3> kernel_names;
};

constexpr FeatureAlias kFeatureAliases[] = {
    {"neon", {"asimd"}},  // "neon" itself on 32-bit Arm
    {"neon_dotprod", {"asimddp"}},
    {"dotprod", {"asimddp"}},
    {"neon_fp16", {"asimdhp"}},
    {"fp16", {"asimdhp", "avx512_fp16"}},
    {"neon_i8mm", {"i8mm"}},
    {"neon_bf16", {"bf16"}},
    {"bf16", {"avx512_bf16", "amx_bf16"}},  // "bf16" itself on Arm
    {"vnni", {"avx512_vnni", "avx_vnni"}},
};

std::string kernel_spelling(std::string_view feature) {
  std::string text(feature);
  for (char& letter : text) {
    if (letter == '-' || letter == '.') letter = '_';
  }
  return text;
}

}  // namespace

bool has_feature(const std::vector<std::string>& features, std::string_view wanted) {
  const auto has = [&](std::string_view name) {
    return !name.empty() && std::find(features.begin(), features.end(), name) != features.end();
  };
  const std::string name = kernel_spelling(wanted);
  if (has(name)) return true;
  for (const FeatureAlias& alias : kFeatureAliases) {
    if (alias.name != name) continue;
    return std::any_of(alias.kernel_names.begin(), alias.kernel_names.end(), has);
  }
  return false;
}

bool Machine::has(std::string_view feature) const { return std::find(features.begin(), features.end(), feature) != features.end(); }

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

const Machine& this_machine() {
  static const Machine machine = read_machine();
  return machine;
}

std::int64_t peak_resident_bytes() { return std::strtoll(proc_value("/proc/self/status", "VmHWM").c_str(), nullptr, 10) * 1024; }

void reset_peak_resident() noexcept {
  if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
}

// Of version 2, then of version 1, both in microseconds.
std::optional<CpuQuota> cpu_quota() {
  const auto of = [](const std::string& run, const std::string& period) -> std::optional<CpuQuota> {
    const CpuQuota quota{1e3 * std::strtod(run.c_str(), nullptr), 1e3 * std::strtod(period.c_str(), nullptr)};
    if (quota.run_ns > 0.0 && quota.period_ns > 0.0) return quota;
    return std::nullopt;  // "max", -1, or no such file
  };
  const std::vector<std::string> v2 = words(first_line("/sys/fs/cgroup/cpu.max"));
  if (v2.size() == 2) return of(v2[0], v2[1]);
  return of(first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
}

std::vector<int> usable_cores() {
  // Asking for every core and reading back what the kernel granted shows the cpuset behind a launcher's binding.
  cpu_set_t before, all, granted;
  CPU_ZERO(&before);
  CPU_ZERO(&all);
  CPU_ZERO(&granted);
  sched_getaffinity(0, sizeof before, &before);
  for (int core = 0; core < CPU_SETSIZE; ++core) CPU_SET(core, &all);
  sched_setaffinity(0, sizeof all, &all);
  sched_getaffinity(0, sizeof granted, &granted);
  sched_setaffinity(0, sizeof before, &before);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &granted)) cores.push_back(core);
  }
  const int paid = quota_cores();
  if (paid > 0 && static_cast<std::size_t>(paid) < cores.size()) cores.resize(static_cast<std::size_t>(paid));
  if (cores.empty()) cores.push_back(0);
  return cores;
}

bool bind_to_cores(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace edgelab

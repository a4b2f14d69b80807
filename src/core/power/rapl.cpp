#include <vector>

#include "core/host_files.hpp"
#include "core/power/power_meter.hpp"

namespace edgelab {
namespace {

class Zone {
 public:
  explicit Zone(const std::filesystem::path& folder) : counter_(folder / "energy_uj"), range_(number_in(first_line(folder / "max_energy_range_uj")).value_or(0)) {}

  // Counted since the first call.
  std::optional<std::int64_t> microjoules() {
    const std::optional<std::int64_t> now = number_in(first_line(counter_));
    if (!now) return {};
    if (last_) {
      const std::int64_t used = *now - *last_;
      if (used < 0 && range_ <= 0) return {};
      total_ += used >= 0 ? used : used + range_;
    }
    last_ = now;
    return total_;
  }

 private:
  std::filesystem::path counter_;
  std::int64_t range_ = 0, total_ = 0;
  std::optional<std::int64_t> last_;
};

}  // namespace

std::optional<EnergyCounter> find_rapl(const std::filesystem::path& root) {
  std::vector<Zone> zones;
  std::string name = "rapl";
  // "intel-rapl:0" is a package, "intel-rapl:0:2" a part of it. Cores and uncore are inside the package's own count, memory is
  // not; "psys" and the zones of intel-rapl-mmio count the same once more.
  for (const std::filesystem::path& folder : entries(root / "sys/class/powercap", "intel-rapl:")) {
    const std::string zone_name = first_line(folder / "name");
    if (!zone_name.starts_with("package") && zone_name != "dram") continue;
    Zone zone(folder);
    if (!zone.microjoules()) continue;
    name += (zones.empty() ? " " : ", ") + zone_name;
    zones.push_back(zone);
  }
  if (zones.empty()) return {};
  return EnergyCounter{name, [zones]() mutable {
                         std::optional<double> sum = 0.0;
                         for (Zone& zone : zones) {
                           const std::optional<std::int64_t> used = zone.microjoules();
                           sum = sum && used ? std::optional(*sum + 1e-6 * static_cast<double>(*used)) : std::nullopt;
                         }
                         return sum;
                       }};
}

}  // namespace edgelab

#include "batch/layer_speedup.hpp"

#include <map>
#include <set>
#include <string_view>

namespace edgelab::batch {
namespace {

struct Times {
  std::int64_t job = 0, reference = 0;
};

// The first part of `name`, in whole words between dots, that is a name of its own; `name` itself if none is.
std::string_view stands_for(std::string_view name, const std::set<std::string_view>& names) {
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (names.contains(name.substr(0, dot))) return name.substr(0, dot);
  }
  return name;
}

}  // namespace

std::optional<LayerSpeedup> least_layer_speedup(std::span<const results::LayerRow> job, std::span<const results::LayerRow> reference) {
  std::set<std::string_view> names;
  for (const auto& table : {job, reference}) {
    for (const results::LayerRow& row : table) names.insert(row.name);
  }
  std::map<std::string_view, Times> parts;
  for (const results::LayerRow& row : job) parts[stands_for(row.name, names)].job += row.time_ns;
  for (const results::LayerRow& row : reference) parts[stands_for(row.name, names)].reference += row.time_ns;

  Times rest;
  std::optional<LayerSpeedup> least;
  const auto compare = [&](std::string_view layers, const Times& times) {
    const double gained = static_cast<double>(times.reference) / static_cast<double>(times.job);
    if (!least || gained < least->times) least = LayerSpeedup{std::string(layers), gained};
  };
  for (const auto& [layers, times] : parts) {
    if (times.job > 0 && times.reference > 0) {
      compare(layers, times);
    } else {
      rest.job += times.job;
      rest.reference += times.reference;
    }
  }
  // Work that only the job has (conversions between types, say) is time that it did not gain.
  if (least && rest.job > 0) compare("the rest", rest);
  return least;
}

}  // namespace edgelab::batch

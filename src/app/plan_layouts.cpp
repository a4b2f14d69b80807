#include "app/plan_layouts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace edgelab::app {
namespace {

// First and chosen ones, and of the others the fastest.
std::vector<std::size_t> shown(const tasks::Forecast& forecast) {
  constexpr std::size_t kMost = 16;
  std::vector<std::size_t> order(forecast.layouts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= kMost) return order;
  std::stable_sort(order.begin() + 1, order.end(), [&](std::size_t a, std::size_t b) { return forecast.layouts[a].samples_per_second > forecast.layouts[b].samples_per_second; });
  order.resize(kMost);
  if (std::find(order.begin(), order.end(), forecast.chosen) == order.end()) order.back() = forecast.chosen;
  return order;
}

}  // namespace

void print_layouts(const tasks::Forecast& forecast) {
  if (forecast.layouts.empty()) return;
  fmt::print("  {:<32} {:>11} {:>11} {:>13} {:>13}\n", "layout", "latency", "samples/s", "on the wire", "weights");
  for (const std::size_t i : shown(forecast)) {
    const tasks::Prediction& p = forecast.layouts[i];
    const std::string name = fmt::format("{} {}", i == forecast.chosen ? "*" : " ", tasks::name_of(p));
    if (!p.refusal.empty()) {
      fmt::print("  {:<32} {:>11}\n", name, "can't be");
    } else {
      fmt::print("  {:<32} {:>8.2f} ms {:>11.1f} {:>10.1f} kB {:>10.1f} MB\n", name, p.latency_ns / 1e6, p.samples_per_second, p.wire_bytes / 1e3,
                 static_cast<double>(p.weight_bytes) / 1e6);
    }
  }
}

nlohmann::ordered_json layouts_json(const tasks::Forecast& forecast) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < forecast.layouts.size(); ++i) {
    const tasks::Prediction& p = forecast.layouts[i];
    nlohmann::ordered_json row = {{"layout", tasks::name_of(p)}, {"chosen", i == forecast.chosen}};
    if (p.refusal.empty()) {
      row["predicted_latency_ns"] = p.latency_ns;
      row["predicted_samples_per_second"] = p.samples_per_second;
      row["wire_bytes"] = p.wire_bytes;
      row["weight_bytes"] = p.weight_bytes;
    } else {
      row["refused"] = p.refusal;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace edgelab::app

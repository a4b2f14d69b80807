#include "results/text/sparkline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace edgelab::results {
namespace {

constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::vector<double> put_together(std::span<const double> values, std::size_t columns) {
  std::vector<double> means;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t begin = column * values.size() / columns, end = (column + 1) * values.size() / columns;
    double sum = 0;
    int count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isfinite(values[i])) sum += values[i], ++count;
    }
    means.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

}  // namespace

std::string sparkline(std::span<const double> values, std::size_t columns) {
  const std::vector<double> shown = put_together(values, std::min(columns, values.size()));
  double least = std::numeric_limits<double>::infinity(), greatest = -least;
  for (const double value : shown) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  std::string line;
  for (const double value : shown) {
    if (!std::isfinite(value))
      line += " ";
    else if (greatest == least)
      line += kBlocks[3];
    else
      line += kBlocks[std::min<std::size_t>(7, static_cast<std::size_t>((value - least) / (greatest - least) * 8))];
  }
  return line;
}

}  // namespace edgelab::results

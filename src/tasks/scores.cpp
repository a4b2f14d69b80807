#include "tasks/scores.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::tasks {
namespace {

constexpr std::int64_t kTop = 5;

// Mean over samples of −log softmax(logits)[label], one sample's share.
double cross_entropy(std::span<const float> logits, std::int32_t label) {
  const double highest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double total = 0.0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit) - highest);
  return highest + std::log(total) - static_cast<double>(logits[static_cast<std::size_t>(label)]);
}

// How many classes stand above the label's; equal ones count if they come first.
std::int64_t rank_of(std::span<const float> logits, std::int32_t label) {
  const float own = logits[static_cast<std::size_t>(label)];
  std::int64_t above = 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    if (logits[c] > own || (logits[c] == own && c < static_cast<std::size_t>(label))) ++above;
  }
  return above;
}

}  // namespace

std::int32_t predicted_class(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void score(std::span<const float> logits, std::int64_t classes, std::span<const std::int32_t> labels, results::Summary& summary) {
  std::int64_t counted = 0, first = 0, among_five = 0;
  double loss = 0.0;
  for (std::size_t sample = 0; sample < labels.size(); ++sample) {
    if (labels[sample] < 0 || labels[sample] >= classes) continue;
    const auto row = logits.subspan(sample * static_cast<std::size_t>(classes), static_cast<std::size_t>(classes));
    const std::int64_t place = rank_of(row, labels[sample]);
    ++counted;
    first += place == 0 ? 1 : 0;
    among_five += place < kTop ? 1 : 0;
    loss += cross_entropy(row, labels[sample]);
  }
  if (counted == 0) return;
  summary.top1 = static_cast<double>(first) / static_cast<double>(counted);
  if (classes > kTop) summary.top5 = static_cast<double>(among_five) / static_cast<double>(counted);
  summary.loss = loss / static_cast<double>(counted);
}

}  // namespace edgelab::tasks

#include "tasks/mistakes.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "data/preprocess.hpp"

namespace edgelab::tasks {
namespace {

constexpr std::size_t kKept = 12;
constexpr int kLargestSide = 48;  // pixels: 12 of 7 KB stay far below what the rest of a record takes

double probability_of(std::span<const float> logits, std::int32_t of) {
  const auto highest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double total = 0.0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit) - highest);
  return std::exp(static_cast<double>(logits[static_cast<std::size_t>(of)]) - highest) / total;
}

void add_picture(results::MistakeRecord& mistake, const data::Image& image) {
  data::PreprocessOptions options;
  options.size = std::min(kLargestSide, std::max(image.height, image.width));
  options.mean = {0, 0, 0};
  options.std = {1, 1, 1};
  const auto side = static_cast<std::size_t>(options.size);
  std::vector<float> planes(data::kChannels * side * side);
  data::Preprocessor{options}(image, planes);
  mistake.height = mistake.width = options.size;
  mistake.channels = data::kChannels;
  mistake.picture.resize(planes.size());
  for (std::size_t channel = 0; channel < data::kChannels; ++channel) {
    for (std::size_t pixel = 0; pixel < side * side; ++pixel) {
      const float value = std::clamp(planes[channel * side * side + pixel], 0.0f, 1.0f);
      mistake.picture[pixel * data::kChannels + channel] = static_cast<std::uint8_t>(std::lround(value * 255.0f));
    }
  }
}

}  // namespace

void keep_mistakes(results::JobRecord& record, const data::Dataset& dataset) {
  if (record.labels.empty() || record.classes <= 0) return;
  for (const std::string& name : dataset.class_names()) record.class_names.push_back({name});
  const auto classes = static_cast<std::size_t>(record.classes);
  std::vector<results::MistakeRecord> mistakes;
  for (std::size_t sample = 0; sample < record.labels.size(); ++sample) {
    const std::int32_t label = record.labels[sample], prediction = record.predictions[sample];
    if (label == prediction || label < 0 || label >= record.classes) continue;
    const auto logits = std::span(record.logits).subspan(sample * classes, classes);
    const double probability = probability_of(logits, prediction);
    if (!std::isfinite(probability)) continue;
    const auto position = static_cast<std::int64_t>(sample);
    mistakes.push_back({position,
                        dataset.file_index(position),
                        label,
                        prediction,
                        probability,
                        probability_of(logits, label),
                        0,
                        0,
                        0,
                        {}});
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  if (mistakes.size() > kKept) mistakes.resize(kKept);
  for (results::MistakeRecord& mistake : mistakes) add_picture(mistake, dataset.image(mistake.sample));
  record.mistakes = std::move(mistakes);
}

}  // namespace edgelab::tasks

#include "tasks/pruning/masked_weights.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "tasks/pruning/settings.hpp"

namespace edgelab::tasks {
namespace {

// Times that the zeros grow: often enough for the cubic curve, seldom enough to cost nothing.
constexpr std::int64_t kGrowths = 32;

std::span<float> elements_of(const train::Trainer& trainer, const compress::PrunableWeight& weight) {
  Tensor data = trainer.model().value(weight.id).data;
  return data.as<float>();
}

}  // namespace

MaskedWeights::MaskedWeights(const JobSpec& spec, train::Trainer& trainer, const std::vector<std::string>& parameters, std::int64_t steps)
    : spec_(*spec.prune), trainer_(trainer) {
  if (spec_.schedule == PruneSchedule::gradual) ramp_ = std::max<std::int64_t>(1, std::llround(spec_.ramp * static_cast<double>(steps)));
  for (compress::PrunableWeight& weight : compress::prunable_weights(trainer.model(), spec_.skip)) {
    const auto moves = std::find(parameters.begin(), parameters.end(), weight.name);
    if (moves == parameters.end()) continue;  // what does not move keeps its zeros
    compress::Mask mask = compress::nonzero(weight.name, trainer.model().value(weight.id).data);
    entries_.push_back({std::move(weight), std::move(mask), static_cast<std::size_t>(moves - parameters.begin()), {}});
  }
}

MaskedWeights::MaskedWeights(train::Trainer& trainer, const std::vector<std::string>& parameters) : trainer_(trainer) {
  for (const graph::ValueId id : trainer.model().weights()) {
    const graph::Value& value = trainer.model().value(id);
    const auto moves = std::find(parameters.begin(), parameters.end(), value.name);
    if (moves == parameters.end() || value.type.shape.rank() < 2) continue;
    compress::Mask mask = compress::nonzero(value.name, value.data);
    if (10 * std::count(mask.keep.begin(), mask.keep.end(), 0) < value.type.shape.elements()) continue;
    entries_.push_back({{value.name, value.name, id, {}}, std::move(mask), static_cast<std::size_t>(moves - parameters.begin()), {}});
  }
}

void MaskedWeights::after_step(std::int64_t steps) {
  if (steps <= ramp_ && spec_.method == PruneMethod::taylor) judge();
  if (grows_at(steps)) grow(steps);
  for (const Entry& entry : entries_) compress::apply(entry.mask, elements_of(trainer_, entry.weight));
}

void MaskedWeights::apply_to(const std::vector<models::NamedTensor>& tensors) const {
  for (const models::NamedTensor& item : tensors) {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) { return each.weight.name == item.name; });
    if (entry == entries_.end()) continue;
    Tensor view = item.tensor;
    compress::apply(entry->mask, view.as<float>());
  }
}

// Adds the last step's |g · w|.
void MaskedWeights::judge() {
  const auto gradients = trainer_.gradients();
  for (Entry& entry : entries_) {
    const auto values = elements_of(trainer_, entry.weight);
    const auto slopes = gradients[entry.gradient];
    entry.worth.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) entry.worth[i] += std::abs(slopes[i] * values[i]);
  }
}

bool MaskedWeights::grows_at(std::int64_t steps) const {
  return steps > 0 && steps <= ramp_ && kGrowths * steps / ramp_ > kGrowths * (steps - 1) / ramp_;
}

void MaskedWeights::grow(std::int64_t steps) {
  std::vector<compress::Judged> judged;
  for (Entry& entry : entries_) {
    const Shape& shape = trainer_.model().type(entry.weight.id).shape;
    std::vector<float> worth = spec_.method == PruneMethod::taylor ? std::move(entry.worth) : compress::importance(trainer_.model(), entry.weight, criterion_of(spec_), {});
    // Zeros are worth least, so that none comes back.
    for (std::size_t i = 0; i < worth.size(); ++i) worth[i] = entry.mask.keep[i] == 0 ? 0.0f : worth[i];
    entry.worth.clear();
    judged.push_back({entry.weight.name, shape, std::move(worth)});
  }
  const double sparsity = compress::cubic_sparsity(spec_.sparsity.value_or(0.0), static_cast<double>(steps) / static_cast<double>(ramp_));
  std::vector<compress::Mask> masks = compress::masks(judged, mask_settings(spec_, sparsity));
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].mask = std::move(masks[i]);
}

}  // namespace edgelab::tasks

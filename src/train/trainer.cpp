#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace edgelab::train {

namespace {

std::vector<Parameter> parameters_of(const graph::Graph& model, const std::vector<std::string>& names) {
  std::map<std::string, Parameter> known;
  for (const graph::ValueId id : model.weights()) {
    const graph::Value& value = model.value(id);
    Tensor data = value.data;
    if (value.kind == graph::ValueKind::parameter) known.emplace(value.name, Parameter{value.name, value.type.shape, data.as<float>()});
  }
  std::vector<Parameter> list;
  for (const std::string& name : names) list.push_back(known.at(name));
  return list;
}

std::map<std::string, std::span<float>> buffers_of(const graph::Graph& model) {
  std::map<std::string, std::span<float>> buffers;
  for (const graph::ValueId id : model.weights()) {
    Tensor data = model.value(id).data;
    if (model.value(id).kind == graph::ValueKind::buffer) buffers.emplace(model.value(id).name, data.as<float>());
  }
  return buffers;
}

// softmax(logits / temperature) · weight, into `into`.
void soften(std::span<const float> logits, double temperature, double weight, std::span<float> into) {
  const float highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0.0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    const double e = std::exp(static_cast<double>(logits[c] - highest) / temperature);
    into[c] = static_cast<float>(e);
    sum += e;
  }
  for (float& value : into) value = static_cast<float>(static_cast<double>(value) / sum * weight);
}

}  // namespace

Trainer::Trainer(graph::Graph model, const std::vector<std::string>& parameters, const TrainerSettings& settings)
    : model_(std::move(model)),
      settings_(settings),
      step_(model_, parameters, settings.step),
      team_(settings.step.threads),
      order_(one_forward_one_backward(0, 1, settings.accumulate)),
      buffers_(buffers_of(model_)) {
  optimizer_.emplace(settings.optimizer, parameters_of(model_, parameters), team_);
  if (settings.accumulate > 1) {
    for (std::size_t i = 0; i < parameters.size(); ++i) sums_.emplace_back(step_.gradient(i).size());
  }
}

// What is not a gradient stands first: it is sent last.
std::vector<std::size_t> Trainer::exchanged_elements() const {
  std::size_t statistics = 0;
  for (std::size_t i = 0; i < step_.statistics().size(); ++i) statistics += 2 * step_.batch_mean(i).size();
  std::vector<std::size_t> elements = {1 + static_cast<std::size_t>(settings_.accumulate) * statistics};
  for (std::size_t i = 0; i < step_.gradients(); ++i) elements.push_back(step_.gradient(i).size());
  return elements;
}

void Trainer::exchange_by(GradientExchange& exchange, double share) {
  exchange_ = &exchange;
  share_ = share;
  // Overlapped with the backward pass where there is but one a step.
  if (settings_.accumulate == 1) step_.when_gradient_is_ready([this](std::size_t i) { exchange_->add(i + 1, step_.gradient(i)); });
}

void Trainer::works_on(PartOfModel part) {
  part_ = std::move(part);
  order_ = one_forward_one_backward(part_.stage, part_.stages, settings_.accumulate);
  optimizer_->take_norm_over(part_.counts, part_.sum);
  if (part_.link != nullptr) step_.after_each_step([this] { part_.link->progress(); });
}

void Trainer::set_teacher(std::span<const float> logits, double weight, std::size_t slot) {
  const auto classes = static_cast<std::size_t>(step_.targets().shape()[1]);
  const double temperature = *settings_.step.form.teacher_temperature;
  Tensor teacher = step_.teacher(slot);
  Tensor targets = step_.targets(slot);
  const auto all = teacher.as<float>(), labels = targets.as<float>();
  for (std::size_t at = 0; at < all.size(); at += classes) {
    const auto row = labels.subspan(at, classes);
    const bool padding = std::all_of(row.begin(), row.end(), [](float value) { return value == 0.0f; });
    soften(logits.subspan(at, classes), temperature, padding ? 0.0 : weight * temperature * temperature, all.subspan(at, classes));
  }
}

void Trainer::set_images(const TrainingSamples& samples, std::int64_t part) {
  Tensor images = step_.images(slot_of(part));
  const auto pixels = images.as<float>();
  std::ranges::copy(samples.images.subspan(static_cast<std::size_t>(part) * pixels.size(), pixels.size()), pixels.begin());
}

void Trainer::set_targets(const TrainingSamples& samples, std::int64_t part) {
  Tensor targets = step_.targets(slot_of(part));
  const auto rows = targets.as<float>();
  const std::size_t first = static_cast<std::size_t>(part) * rows.size();
  const double each = 1.0 / static_cast<double>(samples.global_count);
  const bool teacher = settings_.step.form.teacher_temperature.has_value();
  std::ranges::copy(samples.targets.subspan(first, rows.size()), rows.begin());
  if (teacher) set_teacher(samples.teacher.subspan(first, rows.size()), settings_.teacher_weight * each, slot_of(part));
  const auto scale = static_cast<float>(each * (teacher ? 1.0 - settings_.teacher_weight : 1.0));
  for (float& value : rows) value *= scale;
}

void Trainer::forward(const TrainingSamples& samples, std::int64_t part) {
  const StagePlace& place = settings_.step.place;
  const std::size_t slot = slot_of(part);
  if (place.first) set_images(samples, part);
  if (!place.first) part_.link->receive_activations(step_.arrived(slot));
  if (place.last) return set_targets(samples, part);
  step_.forward(slot);
  part_.link->send_activations(step_.handed_on(slot));
}

void Trainer::backward(std::int64_t part) {
  const StagePlace& place = settings_.step.place;
  const std::size_t slot = slot_of(part);
  if (!place.last) part_.link->receive_gradients(step_.gradients_of_handed_on(slot));
  step_.backward(slot);
  if (!place.first) part_.link->send_gradients(step_.gradients_of_arrived(slot));
  note_statistics(slot);
  sum_over_parts(part);
}

void Trainer::note_statistics(std::size_t slot) {
  for (std::size_t i = 0; i < step_.statistics().size(); ++i) {
    for (const auto values : {step_.batch_mean(i, slot), step_.batch_variance(i, slot)}) noted_.insert(noted_.end(), values.begin(), values.end());
  }
}

void Trainer::move_statistics() {
  const float* now = noted_.data() + 1;
  const auto move = [&](std::span<float> running, double factor) {
    for (float& value : running) {
      const auto old = static_cast<double>(value), fresh = static_cast<double>(*now++) * factor;
      value = static_cast<float>(old + settings_.statistics_momentum * (fresh - old));
    }
  };
  for (std::int64_t part = 0; part < settings_.accumulate; ++part) {
    for (const BatchStatistics& entry : step_.statistics()) {
      move(buffer(entry.running_mean), 1.0);
      // Running variances are the unbiased ones, as in PyTorch.
      const auto count = static_cast<double>(entry.count);
      move(buffer(entry.running_variance), entry.count > 1 ? count / (count - 1.0) : 1.0);
    }
  }
}

void Trainer::sum_over_parts(std::int64_t part) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const auto gradient = step_.gradient(i, slot_of(part));
    if (part == 0) std::fill(sums_[i].begin(), sums_[i].end(), 0.0f);
    for (std::size_t j = 0; j < gradient.size(); ++j) sums_[i][j] += gradient[j];
  }
}

void Trainer::exchange_all() {
  for (std::size_t i = sums_.size(); i-- > 0;) exchange_->add(i + 1, sums_[i]);
  for (std::size_t i = 1; i < noted_.size(); ++i) noted_[i] *= static_cast<float>(share_);
  exchange_->add(0, noted_);
  exchange_->finish();
  std::ranges::copy(exchange_->sum(0), noted_.begin());
}

std::vector<std::span<const float>> Trainer::gradients() const {
  std::vector<std::span<const float>> list;
  for (std::size_t i = 0; i < step_.gradients(); ++i) {
    list.push_back(exchange_ != nullptr ? exchange_->sum(i + 1) : sums_.empty() ? step_.gradient(i) : std::span<const float>(sums_[i]));
  }
  return list;
}

Trainer::Report Trainer::step(const TrainingSamples& samples, double learning_rate) {
  double loss = 0.0;
  noted_.assign(1, 0.0f);
  for (const PipelineWork& work : order_) {
    if (!work.backward) {
      forward(samples, work.part);
      continue;
    }
    backward(work.part);
    loss += step_.loss(slot_of(work.part));
  }
  if (part_.link != nullptr) part_.link->finish();
  if (part_.sum) loss = part_.sum(part_.counts_loss ? loss : 0.0);
  noted_[0] = static_cast<float>(loss);
  if (exchange_ != nullptr) exchange_all();
  move_statistics();
  const Optimizer::Report moved = optimizer_->step(gradients(), learning_rate);
  return {static_cast<double>(noted_[0]), moved.gradient_norm, moved.applied};
}

std::int64_t bytes_beside_step(const graph::Graph& model, std::span<const std::string> parameters, const OptimizerSettings& optimizer,
                               std::int64_t accumulate, bool exchange, bool average) {
  std::map<std::string, std::int64_t> bytes;
  for (const graph::ValueId id : model.weights()) bytes.emplace(model.value(id).name, static_cast<std::int64_t>(model.type(id).bytes()));
  std::int64_t moving = 0;
  for (const std::string& name : parameters) moving += bytes.at(name);
  const int state = optimizer.method == OptimizerSettings::Method::adamw ? 2 : optimizer.momentum > 0.0 ? 1 : 0;
  return moving * (state + (accumulate > 1 ? 1 : 0) + (exchange ? 1 : 0) + (average ? 1 : 0));
}

}  // namespace edgelab::train

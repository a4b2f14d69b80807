#include "train/optimizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "train/state_tensors.hpp"
#include "train/updates.hpp"

namespace edgelab::train {

namespace {

using Method = OptimizerSettings::Method;

std::vector<std::string> slots_of(const OptimizerSettings& settings) {
  if (settings.method == Method::adamw) return {"exp_avg", "exp_avg_sq"};
  return settings.momentum != 0.0 ? std::vector<std::string>{"momentum_buffer"} : std::vector<std::string>{};
}

// By squaring: pow() may differ from machine to machine in its last digit.
double power(double base, std::int64_t exponent) {
  double result = 1.0;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

void check_fit(const std::vector<Parameter>& parameters, std::span<const std::span<const float>> gradients) {
  if (gradients.size() != parameters.size()) {
    throw Error(ErrorKind::usage, "an optimizer's step got another number of gradients")
        .got(std::to_string(gradients.size())).expected(std::to_string(parameters.size()));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (gradients[i].size() == parameters[i].values.size()) continue;
    throw Error(ErrorKind::usage, fmt::format("the gradient of {} has another size", parameters[i].name))
        .got(std::to_string(gradients[i].size())).expected(std::to_string(parameters[i].values.size()));
  }
}

}  // namespace

Optimizer::Optimizer(const OptimizerSettings& settings, std::vector<Parameter> parameters, ThreadTeam& team)
    : settings_(settings), parameters_(std::move(parameters)), team_(&team), slot_names_(slots_of(settings)) {
  std::vector<std::size_t> sizes;
  for (const Parameter& parameter : parameters_) {
    sizes.push_back(parameter.values.size());
    decays_.push_back(decays(parameter.name, parameter.shape));
  }
  blocks_ = blocks_of(sizes);
  squares_.resize(blocks_.size());
  for (std::size_t slot = 0; slot < slot_names_.size(); ++slot) {
    slots_.emplace_back();
    for (const Parameter& parameter : parameters_) slots_.back().emplace_back(DType::f32, parameter.shape);
  }
}

void Optimizer::update(const Block& block, const float* gradient, double scale, double learning_rate) {
  const double decay = decays_[block.array] ? settings_.weight_decay : 0.0;
  float* values = parameters_[block.array].values.data() + block.begin;
  const auto slot = [&](std::size_t number) { return slots_[number][block.array].as<float>().data() + block.begin; };
  const float* from = gradient + block.begin;
  if (settings_.method == Method::adamw) {
    const double step_size = learning_rate / (1.0 - power(settings_.beta1, steps_));
    const AdamWUpdate factors{static_cast<float>(scale),
                              static_cast<float>(1.0 - learning_rate * decay),
                              static_cast<float>(1.0 - settings_.beta1),
                              static_cast<float>(settings_.beta2),
                              static_cast<float>(1.0 - settings_.beta2),
                              static_cast<float>(1.0 / std::sqrt(1.0 - power(settings_.beta2, steps_))),
                              static_cast<float>(settings_.epsilon),
                              static_cast<float>(step_size)};
    return update_adamw(factors, block.size, from, values, slot(0), slot(1));
  }
  const SgdUpdate factors{static_cast<float>(scale), static_cast<float>(decay), static_cast<float>(settings_.momentum),
                          static_cast<float>(learning_rate)};
  if (slots_.empty()) return update_sgd(factors, block.size, from, values);
  const auto with_momentum = settings_.nesterov ? update_sgd_nesterov : update_sgd_momentum;
  with_momentum(factors, block.size, from, values, slot(0));
}

void Optimizer::take_norm_over(std::vector<bool> counts, std::function<double(double)> sum) {
  counts_ = std::move(counts);
  sum_over_ranks_ = std::move(sum);
}

double Optimizer::sum_of_all_squares(std::span<const std::span<const float>> gradients) {
  team_->run([&](const Member& member) {
    const Member::Part part = member.part(std::ssize(blocks_));
    for (auto i = static_cast<std::size_t>(part.begin); i < static_cast<std::size_t>(part.end); ++i)
      squares_[i] = sum_of_squares(gradients[blocks_[i].array].subspan(blocks_[i].begin, blocks_[i].size));
  });
  double sum = 0.0;
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    if (counts_.empty() || counts_[blocks_[i].array]) sum += squares_[i];
  }
  return sum_over_ranks_ ? sum_over_ranks_(sum) : sum;
}

Optimizer::Report Optimizer::step(std::span<const std::span<const float>> gradients, double learning_rate, double gradient_scale) {
  check_fit(parameters_, gradients);
  const double norm = std::sqrt(sum_of_all_squares(gradients)) * std::abs(gradient_scale);
  if (!std::isfinite(norm)) return {norm, false};
  ++steps_;
  const double clip = settings_.clip_norm > 0.0 ? std::min(1.0, settings_.clip_norm / (norm + 1e-6)) : 1.0;
  team_->run([&](const Member& member) {
    const Member::Part part = member.part(std::ssize(blocks_));
    for (auto i = static_cast<std::size_t>(part.begin); i < static_cast<std::size_t>(part.end); ++i)
      update(blocks_[i], gradients[blocks_[i].array].data(), gradient_scale * clip, learning_rate);
  });
  return {norm, true};
}

std::size_t Optimizer::state_bytes() const {
  std::size_t bytes = 0;
  for (const auto& slot : slots_) {
    for (const Tensor& tensor : slot) bytes += tensor.bytes();
  }
  return bytes;
}

std::vector<models::NamedTensor> Optimizer::state() const {
  std::vector<models::NamedTensor> state = {number_tensor("step", steps_)};
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      state.push_back({slot_names_[slot] + "." + parameters_[i].name, slots_[slot][i]});
  }
  return state;
}

void Optimizer::restore(std::span<const models::NamedTensor> state) {
  for (const models::NamedTensor& mine : this->state()) {
    if (mine.name != "step") copy_floats(state, mine.name, mine.tensor);
  }
  steps_ = number_in(state, "step");
}

}  // namespace edgelab::train

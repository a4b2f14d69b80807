#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "kernels/implementation.hpp"
#include "kernels/tensor_type.hpp"

namespace edgelab::kernels {

// What a struct of settings must tell to be an op. To add one, write such a struct in kernels/<op>/<op>.hpp; nothing
// else in the tree has to name it.
template <class Settings>
concept OpSettings = requires(const Settings& settings, std::span<const TensorType> types) {
  { Settings::kName } -> std::convertible_to<std::string_view>;
  // Output types; throws Error (data) where the inputs don't fit.
  { settings.infer(types) } -> std::same_as<std::vector<TensorType>>;
  // Floating-point operations of one call; a multiply-add counts two.
  { settings.flop(types, types) } -> std::same_as<std::int64_t>;
  // "stride 2, groups 96, relu6"; for people.
  { settings.text() } -> std::same_as<std::string>;
  { Settings::implementations() } -> std::same_as<std::span<const Implementation>>;
};

// An op whose products may be computed in less than fp32: its operands are rounded to `compute`, its sums are not.
template <class Settings>
concept HasCompute = requires(Settings settings) { settings.compute = DType::bf16; };

// Any op: immutable settings behind one type, so that graphs, passes and plans need no switch over ops.
class Op {
 public:
  template <OpSettings Settings>
  Op(Settings settings) : model_(std::make_shared<const Model<Settings>>(std::move(settings))) {}  // NOLINT: implicit by design

  std::string_view name() const { return model_->name(); }
  std::string text() const { return model_->text(); }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const { return model_->infer(inputs); }
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const { return model_->flop(inputs, outputs); }
  std::span<const Implementation> implementations() const { return model_->implementations(); }

  // The type that operands of products are rounded to; for ops that have no choice f32, or what their constant `compute` says.
  DType compute() const { return model_->compute(); }
  // The same op computing in that type; this one, if it has no choice.
  Op with_compute(DType type) const { return model_->with_compute(*this, type); }

  // The settings if this op is a Settings, else null.
  template <OpSettings Settings> const Settings* as() const {
    const auto* model = dynamic_cast<const Model<Settings>*>(model_.get());
    return model == nullptr ? nullptr : &model->settings;
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual std::string_view name() const = 0;
    virtual std::string text() const = 0;
    virtual std::vector<TensorType> infer(std::span<const TensorType>) const = 0;
    virtual std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const = 0;
    virtual std::span<const Implementation> implementations() const = 0;
    virtual DType compute() const = 0;
    virtual Op with_compute(const Op& self, DType type) const = 0;
  };
  template <class Settings> struct Model final : Concept {
    explicit Model(Settings given) : settings(std::move(given)) {}
    std::string_view name() const override { return Settings::kName; }
    std::string text() const override { return settings.text(); }
    std::vector<TensorType> infer(std::span<const TensorType> inputs) const override { return settings.infer(inputs); }
    std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const override {
      return settings.flop(inputs, outputs);
    }
    std::span<const Implementation> implementations() const override { return Settings::implementations(); }
    DType compute() const override {
      if constexpr (requires { Settings::compute; }) return settings.compute;
      return DType::f32;
    }
    Op with_compute(const Op& self, DType type) const override {
      if constexpr (HasCompute<Settings>) {
        Settings changed = settings;
        changed.compute = type;
        return changed;
      }
      return self;
    }
    Settings settings;
  };

  std::shared_ptr<const Concept> model_;
};

// Shape checks that op definitions share; they throw Error (data) naming the op.
void require_inputs(std::string_view op, std::span<const TensorType> inputs, std::size_t least, std::size_t most);
void require_rank(std::string_view op, const TensorType& type, int rank, std::string_view what);
void require_shape(std::string_view op, const TensorType& type, const Shape& expected, std::string_view what);

// Runs the op once on plain tensors with its reference implementation: for constant folding and for tests.
std::vector<Tensor> evaluate_reference(const Op& op, std::span<const Tensor> inputs);

}  // namespace edgelab::kernels

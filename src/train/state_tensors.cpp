#include "train/state_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace edgelab::train {

namespace {

const Tensor& find(std::span<const models::NamedTensor> state, std::string_view name, DType type, const Shape& shape) {
  const auto found = std::ranges::find(state, name, &models::NamedTensor::name);
  const std::string what = fmt::format("training can't be taken up: state \"{}\"", name);
  const auto text = [](DType dtype, const Shape& of) { return fmt::format("{} {}", name_of(dtype), of.text()); };
  if (found == state.end()) throw Error(ErrorKind::data, what + " is missing").expected(text(type, shape));
  const Tensor& tensor = found->tensor;
  if (tensor.dtype() != type || tensor.shape() != shape)
    throw Error(ErrorKind::data, what + " doesn't fit").got(text(tensor.dtype(), tensor.shape())).expected(text(type, shape));
  return tensor;
}

}  // namespace

models::NamedTensor number_tensor(std::string name, std::int64_t value) {
  Tensor tensor(DType::s64, {1});
  tensor.as<std::int64_t>()[0] = value;
  return {std::move(name), std::move(tensor)};
}

std::int64_t number_in(std::span<const models::NamedTensor> state, std::string_view name) {
  return find(state, name, DType::s64, {1}).as<std::int64_t>()[0];
}

void copy_floats(std::span<const models::NamedTensor> state, std::string_view name, const Tensor& into) {
  const auto from = find(state, name, DType::f32, into.shape()).as<float>();
  Tensor view = into;
  std::ranges::copy(from, view.as<float>().begin());
}

}  // namespace edgelab::train

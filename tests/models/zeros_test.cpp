// Tensors that are written without their zeros.
#include "models/safetensors/zeros.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::models {
namespace {

Tensor sparse_tensor(Shape shape, std::int64_t every) {
  Tensor tensor = test::random_tensor(shape, 5);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    if (i % every != 0) tensor.as<float>()[static_cast<std::size_t>(i)] = 0.0f;
  }
  return tensor;
}

Safetensors opened(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& metadata) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(safetensors_bytes(tensors, metadata));
  return Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "a file");
}

TEST(Zeros, AFileIsReadBackToTheBitAndIsSmaller) {
  Tensor odd = sparse_tensor({3, 7, 1, 1}, 5);
  odd.as<float>()[1] = -0.0f;
  odd.as<float>()[2] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<NamedTensor> tensors = {{"dense", test::random_tensor({8, 8}, 1)}, {"odd", odd}, {"sparse", sparse_tensor({30, 40}, 10)}, {"zero", Tensor(DType::f32, {5, 5})}};
  std::map<std::string, std::string> metadata = {{"kept", "yes"}};
  const std::vector<NamedTensor> stored = without_zeros(tensors, metadata);
  EXPECT_LT(safetensors_bytes(stored, metadata).size(), safetensors_bytes(tensors, {}).size() / 2);
  const Safetensors file = opened(stored, metadata);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"kept", "yes"}}));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const NamedTensor& item : tensors) {
    const Tensor* read = file.find(item.name);
    ASSERT_NE(read, nullptr) << item.name;
    ASSERT_EQ(read->shape(), item.tensor.shape());
    EXPECT_EQ(std::memcmp(read->data(), item.tensor.data(), item.tensor.bytes()), 0) << item.name;
  }
}

TEST(Zeros, DenseTensorsAndVectorsStayAsTheyAre) {
  std::map<std::string, std::string> metadata;
  const std::vector<NamedTensor> stored = without_zeros(std::vector<NamedTensor>{{"dense", test::random_tensor({8, 8}, 1)}, {"bias", Tensor(DType::f32, {64})}}, metadata);
  EXPECT_EQ(stored.size(), 2u);
  EXPECT_TRUE(metadata.empty());
}

TEST(Zeros, WhatContradictsItselfIsRefused) {
  std::map<std::string, std::string> metadata;
  const std::vector<NamedTensor> good = without_zeros(std::vector<NamedTensor>{{"w", sparse_tensor({6, 6}, 9)}}, metadata);
  const auto refused = [](const std::vector<NamedTensor>& tensors, const std::string& shapes) {
    try {
      opened(tensors, {{kZeros, shapes}});
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::data;
    }
  };
  EXPECT_FALSE(refused(good, R"({"w":[6,6]})"));
  EXPECT_TRUE(refused(good, R"({"w":[6,60]})"));
  EXPECT_TRUE(refused(good, R"({"w":[6,5]})")) << "a mask that goes on behind the end";
  EXPECT_TRUE(refused(good, R"({"w":[6,-6]})"));
  EXPECT_TRUE(refused(good, R"({"w":[1099511627776,1099511627776,1099511627776]})"));
  EXPECT_TRUE(refused(good, R"({"v":[6,6]})"));
  EXPECT_TRUE(refused(good, R"(["w"])"));
  EXPECT_TRUE(refused(good, "{"));
  EXPECT_TRUE(refused({good[0]}, R"({"w":[6,6]})"));
  std::vector<NamedTensor> twice = good;
  twice.push_back({"w", Tensor(DType::f32, {6, 6})});
  EXPECT_TRUE(refused(twice, R"({"w":[6,6]})"));
  std::vector<NamedTensor> fewer = good;
  fewer[1].tensor = Tensor(DType::f32, {1});
  EXPECT_TRUE(refused(fewer, R"({"w":[6,6]})"));
}

}  // namespace
}  // namespace edgelab::models

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "core/tensor.hpp"

namespace edgelab {
namespace {

TEST(Shape, MultipliesItsExtents) {
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{3, 224, 224}).elements(), 150528);
  EXPECT_EQ((Shape{4, 0, 5}).elements(), 0);
}

TEST(Shape, ComparesExtentsAndRank) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
}

TEST(Shape, WritesItself) {
  EXPECT_EQ((Shape{3, 224, 224}).text(), "[3, 224, 224]");
  EXPECT_EQ(Shape{}.text(), "[]");
}

TEST(Shape, RefusesTooManyAxesAndNegativeExtents) {
  const std::vector<std::int64_t> seven(7, 1);
  EXPECT_THROW(Shape(std::span(seven)), Error);
  EXPECT_THROW((Shape{2, -1}), Error);
}

TEST(Tensor, BeginsAlignedAndZeroed) {
  const Tensor tensor(DType::f32, {5, 7});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % kAlignment, 0u);
  EXPECT_EQ(tensor.bytes(), 140u);
  for (const float element : tensor.as<float>()) EXPECT_EQ(element, 0.0f);
}

TEST(Tensor, SharesItsBytesWithCopiesAndNotWithClones) {
  Tensor tensor(DType::f32, {2});
  Tensor copy = tensor;
  const Tensor clone = tensor.clone();
  copy.as<float>()[1] = 5.0f;
  EXPECT_EQ(tensor.as<float>()[1], 5.0f);
  EXPECT_EQ(clone.as<float>()[1], 0.0f);
}

TEST(Tensor, KeepsTheOwnerOfItsBytesAlive) {
  auto owner = std::make_shared<std::vector<std::byte>>(8, std::byte{1});
  const std::weak_ptr<std::vector<std::byte>> watched = owner;
  std::byte* const bytes = owner->data();
  {
    const Tensor view(DType::u8, {8}, bytes, std::move(owner));
    EXPECT_EQ(view.as<std::uint8_t>()[7], 1);
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

TEST(Tensor, RefusesAnotherElementTypeAndDeviceMemory) {
  Tensor tensor(DType::bf16, {4});
  EXPECT_THROW(tensor.as<float>(), Error);
  const Tensor device(DType::f32, {4}, tensor.data(), nullptr, MemorySpace::cuda);
  EXPECT_THROW(device.as<float>(), Error);
}

TEST(Tensor, ReshapesOnlyToAsManyElements) {
  Tensor tensor(DType::s32, {2, 6});
  tensor.as<std::int32_t>()[7] = 9;
  EXPECT_EQ(tensor.reshaped({3, 4}).as<std::int32_t>()[7], 9);
  EXPECT_THROW(tensor.reshaped({5}), Error);
}

TEST(Tensor, WidensEveryTypeToF32) {
  const auto widened = [](DType type, auto value) {
    Tensor tensor(type, {1});
    std::memcpy(tensor.data(), &value, sizeof value);
    return tensor.to_f32().as<float>()[0];
  };
  EXPECT_EQ(widened(DType::f32, 1.5f), 1.5f);
  EXPECT_EQ(widened(DType::f16, std::uint16_t{0x3E00}), 1.5f);
  EXPECT_EQ(widened(DType::bf16, std::uint16_t{0x3FC0}), 1.5f);
  EXPECT_EQ(widened(DType::s8, std::int8_t{-7}), -7.0f);
  EXPECT_EQ(widened(DType::u8, std::uint8_t{200}), 200.0f);
  EXPECT_EQ(widened(DType::s32, std::int32_t{-70000}), -70000.0f);
  EXPECT_EQ(widened(DType::s64, std::int64_t{1} << 40), 0x1p40f);
}

TEST(Tensor, WidensAViewThatIsNotAligned) {
  std::vector<std::byte> bytes(9);
  const float value = 2.5f;
  std::memcpy(bytes.data() + 1, &value, sizeof value);
  const Tensor view(DType::f32, {1}, bytes.data() + 1, nullptr);
  EXPECT_EQ(view.to_f32().as<float>()[0], 2.5f);
}

}  // namespace
}  // namespace edgelab

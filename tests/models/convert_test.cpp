#include "models/convert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::models {
namespace {

class Convert : public testing::Test {
 protected:
  Safetensors file_with(float value) {
    Tensor floats(DType::f32, {2}), integers(DType::s64, Shape{});
    floats.as<float>()[0] = value;
    floats.as<float>()[1] = -1.0f / 3.0f;
    integers.as<std::int64_t>()[0] = 5;
    write_safetensors(path(), std::vector<NamedTensor>{{"x", floats}, {"n", integers}}, {{"made", "here"}});
    return Safetensors::open(path());
  }
  std::filesystem::path path() const { return folder_ / "w.safetensors"; }
  test::TemporaryDirectory folder_;
};

TEST_F(Convert, NarrowsFloatsAndLeavesIntegersAlone) {
  for (const auto& [type, precision] : {std::pair{DType::f16, 0x1p-11}, std::pair{DType::bf16, 0x1p-8}, std::pair{DType::f32, 0.0}}) {
    // Onto the file it reads from: the mapping keeps the old one.
    const auto file = file_with(1000.0f);
    write_safetensors(path(), converted(file, type), file.metadata());
    const auto result = Safetensors::open(path());
    EXPECT_EQ(result.find("x")->dtype(), type);
    EXPECT_EQ(result.find("n")->dtype(), DType::s64);
    EXPECT_EQ(result.find("n")->as<std::int64_t>()[0], 5);
    EXPECT_EQ(result.metadata().at("made"), "here");
    const auto values = converted(result, DType::f32);
    for (const NamedTensor& item : values) {
      if (item.name != "x") continue;
      EXPECT_EQ(item.tensor.as<float>()[0], 1000.0f);
      EXPECT_NEAR(item.tensor.as<float>()[1], -1.0f / 3.0f, precision / 3.0);
    }
  }
}

TEST_F(Convert, RefusesAValueThatHalfPrecisionCannotHold) {
  const auto file = file_with(1e6f);
  EXPECT_NO_THROW(converted(file, DType::bf16));
  try {
    converted(file, DType::f16);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), testing::HasSubstr("tensor \"x\" does not fit into fp16 (got 1000000"));
  }
  EXPECT_NO_THROW(converted(file_with(INFINITY), DType::f16));
}

TEST_F(Convert, RefusesIntegerTypes) { EXPECT_THROW(converted(file_with(1.0f), DType::s8), Error); }

}  // namespace
}  // namespace edgelab::models

#include "models/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ModelOptions small_vit() {
  ModelOptions options;
  options.arch = "vit_tiny_patch16_224";
  options.classes = 3;
  options.img_size = 8;
  options.patch_size = 4;
  options.depth = 1;
  options.embed_dim = 12;
  options.num_heads = 2;
  return options;
}

class Weights : public testing::Test {
 protected:
  Weights() : graph_(build(small_vit(), 1)) {
    graph::Graph source = build(small_vit(), 1);
    bind_random(source, 1);
    tensors_ = named_weights(source);
  }

  NamedTensor& tensor(const std::string& name) { return *std::ranges::find(tensors_, name, &NamedTensor::name); }
  void remove(const std::string& name) { tensors_.erase(std::ranges::find(tensors_, name, &NamedTensor::name)); }

  BindReport bind_file() {
    write_safetensors(path(), tensors_);
    return bind(graph_, Safetensors::open(path()));
  }

  std::string refusal() {
    try {
      bind_file();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_EQ(error.place().file, path().string());
      for (const graph::ValueId id : graph_.weights()) EXPECT_FALSE(graph_.value(id).known()) << "bound in spite of the error";
      return error.what();
    }
    return "";
  }

  std::filesystem::path path() const { return folder_ / "w.safetensors"; }
  test::TemporaryDirectory folder_;
  graph::Graph graph_;
  std::vector<NamedTensor> tensors_;
};

TEST_F(Weights, BindEveryWeightOfTheGraph) {
  const BindReport report = bind_file();
  EXPECT_EQ(report.bound, static_cast<int>(graph_.weights().size()));
  EXPECT_EQ(report.widened, 0);
  for (const NamedTensor& bound : named_weights(graph_)) {
    EXPECT_EQ(std::memcmp(bound.tensor.data(), tensor(bound.name).tensor.data(), bound.tensor.bytes()), 0) << bound.name;
  }
}

TEST_F(Weights, WidenHalfPrecisionToSingle) {
  const auto narrow = [](const Tensor& from, DType type, std::uint16_t (*convert)(float)) {
    Tensor to(type, from.shape());
    for (std::size_t i = 0; i < from.as<float>().size(); ++i) {
      const std::uint16_t bits = convert(from.as<float>()[i]);
      std::memcpy(to.data() + 2 * i, &bits, 2);
    }
    return to;
  };
  Tensor& head = tensor("head.weight").tensor;
  Tensor& norm = tensor("norm.weight").tensor;
  const Tensor wide_head = head, wide_norm = norm;
  head = narrow(wide_head, DType::bf16, float_to_bf16);
  norm = narrow(wide_norm, DType::f16, float_to_f16);
  EXPECT_EQ(bind_file().widened, 2);
  const std::vector<NamedTensor> bound = named_weights(graph_);
  for (const NamedTensor& item : bound) EXPECT_EQ(item.tensor.dtype(), DType::f32);
  const auto value = [&](const char* name) { return std::ranges::find(bound, name, &NamedTensor::name)->tensor.as<float>()[5]; };
  EXPECT_NEAR(value("head.weight"), wide_head.as<float>()[5], 0.01);
  EXPECT_NEAR(value("norm.weight"), wide_norm.as<float>()[5], 0.001);
}

TEST_F(Weights, MayHoldNumBatchesTracked) {
  tensors_.push_back({"norm.num_batches_tracked", Tensor(DType::s64, Shape{})});
  EXPECT_THAT(bind_file().ignored, testing::ElementsAre("norm.num_batches_tracked"));
}

TEST_F(Weights, NameAMissingTensorAndWhatWasExpected) {
  remove("blocks.0.mlp.fc1.weight");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("1 tensor: \"blocks.0.mlp.fc1.weight\" is missing: expected F32 [48, 12]"), Not(HasSubstr("nearest"))));
}

TEST_F(Weights, NameTheNearestTensorForAMisspeltOne) {
  tensor("blocks.0.norm1.weight").name = "blocks.0.norm1.wieght";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("2 tensors"), HasSubstr("\"blocks.0.norm1.weight\" is missing: expected F32 [12], nearest is \"blocks.0.norm1.wieght\""),
                               HasSubstr("\"blocks.0.norm1.wieght\" belongs to no layer, nearest is \"blocks.0.norm1.weight\"")));
}

TEST_F(Weights, NameASuperfluousTensor) {
  tensors_.push_back({"head_dist.weight", Tensor(DType::f32, {3, 12})});
  EXPECT_THAT(refusal(), HasSubstr("\"head_dist.weight\" belongs to no layer, nearest is \"head.weight\""));
}

TEST_F(Weights, NameAMisshapenTensorAndAWrongType) {
  tensor("head.bias").tensor = Tensor(DType::f32, {1000});
  tensor("norm.bias").tensor = Tensor(DType::s8, {12});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("\"head.bias\" doesn't fit: got F32 [1000], expected F32 [3]"), HasSubstr("\"norm.bias\" doesn't fit: got I8 [12], expected F32 [12]")));
}

TEST_F(Weights, TellAllProblemsInOneErrorButListOnlyTen) {
  const std::size_t count = tensors_.size();
  tensors_.clear();
  const std::string message = refusal();
  EXPECT_THAT(message, AllOf(HasSubstr(std::to_string(count) + " tensors"), HasSubstr("and " + std::to_string(count - 10) + " more")));
  std::size_t listed = 0;
  for (std::size_t at = message.find("is missing"); at != std::string::npos; at = message.find("is missing", at + 1)) ++listed;
  EXPECT_EQ(listed, 10u);
}

TEST_F(Weights, SurviveAFileOfVeryLongNames) {
  tensors_.clear();
  for (int i = 0; i < 20; ++i) tensors_.push_back({std::string(100'000, 'x') + std::to_string(i), Tensor(DType::f32, {1})});
  EXPECT_LT(refusal().size(), 5000u);
}

}  // namespace
}  // namespace edgelab::models

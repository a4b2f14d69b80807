// Logits beside those of torchvision and timm. The small ones lie in golden/logits.json; those of whole models, where
// EDGELAB_GOLDEN names a folder that golden/make_big_golden.sh has filled.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "graph/passes/passes.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "models/weights.hpp"
#include "runtime/executable.hpp"
#include "support/golden_model.hpp"

namespace edgelab::models {
namespace {

constexpr double kTolerance = 1e-4;  // of the standard deviation of the logits

using edgelab::test::options_from;

std::vector<float> logits_of(const graph::Graph& graph, std::span<const float> images, int threads) {
  runtime::PlanOptions options;
  options.threads = threads;
  runtime::Executable executable(runtime::Plan::compile(graph, options));
  Tensor input = executable.input();
  EXPECT_EQ(static_cast<std::size_t>(input.elements()), images.size());
  std::ranges::copy(images, input.as<float>().begin());
  executable.run();
  const Tensor output = executable.output();
  return {output.as<float>().begin(), output.as<float>().end()};
}

void expect_equal(const std::vector<float>& logits, const std::vector<float>& expected, const std::string& where) {
  ASSERT_EQ(logits.size(), expected.size()) << where;
  double mean = 0.0, variance = 0.0, furthest = 0.0;
  for (const float value : expected) mean += value / static_cast<double>(expected.size());
  for (const float value : expected) variance += (value - mean) * (value - mean) / static_cast<double>(expected.size());
  ASSERT_GT(variance, 0.0) << where;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(logits[i]) - expected[i]);
    ASSERT_TRUE(std::isfinite(difference)) << where << ", logit " << i << " is " << logits[i];
    furthest = std::max(furthest, difference);
  }
  EXPECT_LE(furthest / std::sqrt(variance), kTolerance) << where;
}

void expect_equal_in_every_form(const graph::Graph& graph, std::span<const float> images, const std::vector<float>& expected, const std::string& where) {
  expect_equal(logits_of(graph, images, 1), expected, where + ", as written");
  expect_equal(logits_of(graph::optimise(graph), images, 2), expected, where + ", optimised");
}

std::vector<float> random_images(const graph::Graph& graph, std::uint64_t seed) {
  std::vector<float> images(static_cast<std::size_t>(graph.type(graph.inputs()[0]).elements()));
  CounterRandom random(stream_key(seed, "images"));
  for (float& value : images) value = random.normal();
  return images;
}

TEST(Golden, SmallModelsGiveTorchvisionsAndTimmsLogits) {
  const auto cases = nlohmann::json::parse(std::ifstream(EDGELAB_SOURCE_DIR "/tests/models/golden/logits.json"));
  ASSERT_GE(cases.size(), 12u);
  for (const auto& item : cases) {
    const ModelOptions options = options_from(item["model"]);
    const auto seed = item["seed"].get<std::uint64_t>();
    graph::Graph graph = build(options, item["batch"].get<std::int64_t>());
    bind_random(graph, seed, 2);
    const std::vector<float> images = random_images(graph, seed);
    std::vector<float> expected;
    for (const auto& row : item["logits"]) expected.insert(expected.end(), row.begin(), row.end());
    expect_equal_in_every_form(graph, images, expected, item["model"].dump());
  }
}

TEST(Golden, WholeModelsGiveTorchvisionsAndTimmsLogits) {
  const char* folder = std::getenv("EDGELAB_GOLDEN");
  if (folder == nullptr) GTEST_SKIP() << "EDGELAB_GOLDEN is not set; golden/make_big_golden.sh makes the folder that it names";
  int cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path path = entry.path();
    if (!std::filesystem::exists(path / "spec.json")) continue;
    const auto inputs = Safetensors::open(path / "inputs.safetensors"), outputs = Safetensors::open(path / "outputs.safetensors");
    const Tensor *images = inputs.find("x"), *logits = outputs.find("logits");
    ASSERT_TRUE(images != nullptr && logits != nullptr) << path;
    graph::Graph graph = build(options_from(nlohmann::json::parse(std::ifstream(path / "spec.json"))), images->shape()[0]);
    bind(graph, Safetensors::open(path / "weights.safetensors"));
    const auto expected = logits->as<float>();
    expect_equal_in_every_form(graph, images->as<float>(), {expected.begin(), expected.end()}, path.filename());
    ++cases;
  }
  EXPECT_GT(cases, 0) << "no sub-folder of " << folder << " holds a spec.json";
}

double deviation_of(const std::vector<double>& values) {
  double sum = 0.0, squares = 0.0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(values.size());
  return std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)));
}

// A mistake that mixes samples up or leaves a layer out must show far above rounding (outputs_match compares to 1e-4).
TEST(RandomLogits, DifferBetweenImagesAndDoNotExplodeAtFullDepth) {
  constexpr std::size_t kBatch = 6, kClasses = 10;
  for (const ArchInfo& info : arches()) {
    ModelOptions options;
    options.arch = info.name;
    options.classes = static_cast<int>(kClasses);
    options.input_size = 64;
    if (info.family == Family::vision_transformer) {  // narrow, for speed; depth is what could explode
      options.embed_dim = 96;
      options.num_heads = 3;
    }
    graph::Graph graph = build(options, kBatch);
    bind_random(graph, 1, 2);
    const std::vector<float> logits = logits_of(graph, random_images(graph, 1), 2);
    const double all = deviation_of({logits.begin(), logits.end()});
    EXPECT_GT(all, 0.1) << info.name;
    EXPECT_LT(all, 10.0) << info.name;
    for (std::size_t column = 0; column < kClasses; ++column) {
      std::vector<double> of_one_class;
      for (std::size_t row = 0; row < kBatch; ++row) of_one_class.push_back(logits[row * kClasses + column]);
      EXPECT_GT(deviation_of(of_one_class), 0.01 * all) << info.name << ", class " << column;
    }
  }
}

}  // namespace
}  // namespace edgelab::models

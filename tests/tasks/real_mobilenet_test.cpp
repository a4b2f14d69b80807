// The whole way from the files of CIFAR-10 to logits, against PyTorch: golden/mobilenet_v2_real512.safetensors holds what
// torchvision's resize and mobilenet_v2 made of the same images and weights (tests/models/golden/real_logits.py).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "models/safetensors/safetensors.hpp"
#include "support/random_tensor.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/scores.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

TEST(RealMobileNet, EveryPredictionAndLogitOf512ImagesEqualsPyTorchs) {
  const char* models = std::getenv("EDGELAB_MODELS");
  if (models == nullptr || std::getenv("EDGELAB_DATA") == nullptr) GTEST_SKIP() << "EDGELAB_DATA and EDGELAB_MODELS are not set";
  JobSpec spec;
  spec.id = "accuracy";
  spec.task = Task::evaluate;
  spec.batch = 8;
  spec.data.dataset = "cifar10";
  spec.model.arch = "mobilenet_v2";
  spec.model.weights.path = (std::filesystem::path(models) / "mobilenet_v2_cifar10_224.safetensors").string();

  test::need_mpi();
  const parallel::Communicator self = parallel::Communicator::self();
  TaskContext context{self, 2, {}, {}, true, {}, {}, {}};
  const results::JobRecord record = run_task(spec, context);

  const auto golden = models::Safetensors::open(std::filesystem::path(EDGELAB_SOURCE_DIR) / "tests/tasks/golden/mobilenet_v2_real512.safetensors");
  const Tensor expected = golden.find("logits")->to_f32();
  Tensor logits(DType::f32, expected.shape());
  ASSERT_EQ(record.logits.size(), logits.as<float>().size());
  std::ranges::copy(record.logits, logits.as<float>().begin());
  EXPECT_LE(test::relative_difference(logits, expected), 1e-3);
  for (std::size_t i = 0; i < record.predictions.size(); ++i) {
    EXPECT_EQ(record.predictions[i], predicted_class(expected.as<float>().subspan(i * 10, 10))) << "image " << i;
  }
  EXPECT_DOUBLE_EQ(*record.summary.top1, 484.0 / 512.0);
  RecordProperty("largest_difference_over_standard_deviation", std::to_string(test::relative_difference(logits, expected)));
}

}  // namespace
}  // namespace edgelab::tasks

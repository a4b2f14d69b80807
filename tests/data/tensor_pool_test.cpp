#include "data/tensor_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

namespace edgelab::data {
namespace {

TEST(TensorPool, GivesMemoryAgainOnceTheLastCopyIsGone) {
  const TensorPool pool;
  std::optional<Tensor> first(pool.take({4, 5}));
  const std::byte* place = first->data();
  std::optional<Tensor> copy = first;
  first.reset();
  EXPECT_NE(pool.take({4, 5}).data(), place);
  copy.reset();
  const Tensor longer = pool.take({4, 6});
  EXPECT_NE(longer.data(), place);
  const Tensor a = pool.take({5, 4}), b = pool.take({20});
  EXPECT_TRUE((a.data() == place) != (b.data() == place));
  EXPECT_EQ(a.shape(), (Shape{5, 4}));
}

TEST(TensorPool, GivesTensorsThatOutliveIt) {
  std::optional<Tensor> kept;
  {
    const TensorPool pool;
    kept = pool.take({1000});
  }
  std::ranges::fill(kept->as<float>(), 3.0f);
  EXPECT_EQ(kept->as<float>()[999], 3.0f);
}

TEST(TensorPool, NeverGivesTheSameMemoryTwiceAtOnce) {
  const TensorPool pool;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 500; ++i) {
        Tensor tensor = pool.take({64});
        std::ranges::fill(tensor.as<float>(), static_cast<float>(t));
        std::this_thread::yield();
        EXPECT_TRUE(std::ranges::all_of(tensor.as<float>(), [t](float value) { return value == static_cast<float>(t); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace edgelab::data

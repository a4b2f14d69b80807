#include <gtest/gtest.h>

#include "graph/split/bands.hpp"
#include "graph/split/part.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/message/exchange.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::graph {
namespace {

using kernels::Exchange;

TEST(Shares, CoverEverythingOnceByWeight) {
  const std::vector<double> equal(4, 1.0), unequal = {0.4, 0.4, 0.2, 0.1};
  EXPECT_EQ(shares_of(6, equal), (std::vector<Range>{{0, 2}, {2, 4}, {4, 5}, {5, 6}}));
  EXPECT_EQ(shares_of(2, equal), (std::vector<Range>{{0, 1}, {1, 2}, {2, 2}, {2, 2}}));
  EXPECT_EQ(shares_of(11, unequal), (std::vector<Range>{{0, 4}, {4, 8}, {8, 10}, {10, 11}}));
  for (std::int64_t total = 0; total < 40; ++total) {
    std::int64_t next = 0;
    for (const Range& share : shares_of(total, unequal)) {
      EXPECT_EQ(share.begin, next);
      next = share.end;
    }
    EXPECT_EQ(next, total);
  }
}

// A machine that seemed to be slow, since others used it while it was measured, is given something all the same.
TEST(Shares, LeaveNobodyOutWhereThereIsEnough) {
  const std::vector<double> skewed = {0.001, 5.0, 0.001, 1.0};
  EXPECT_EQ(shares_of(6, skewed), (std::vector<Range>{{0, 0}, {0, 5}, {5, 5}, {5, 6}}));
  EXPECT_EQ(shares_for_all(6, skewed), (std::vector<Range>{{0, 1}, {1, 4}, {4, 5}, {5, 6}}));
  EXPECT_EQ(shares_for_all(4, skewed), (std::vector<Range>{{0, 1}, {1, 2}, {2, 3}, {3, 4}}));
  EXPECT_EQ(shares_for_all(2, skewed).back().end, 2);
  const std::vector<double> even(4, 1.0);
  for (std::int64_t total = 0; total < 20; ++total) EXPECT_EQ(shares_for_all(total, even), shares_of(total, even));
}

// Whatever ranks own and want, each wanted position comes from just one rank, and from the rank itself if it has it.
TEST(ExchangeRoutes, BringEachPositionOnce) {
  CounterRandom random(stream_key(1, "exchange"));
  for (int trial = 0; trial < 300; ++trial) {
    const int ranks = 1 + static_cast<int>(random.below(5));
    const auto extent = static_cast<std::int64_t>(1 + random.below(12));
    const auto range = [&] {
      const auto a = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(extent))), b = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(extent) + 1));
      return Range{std::min(a, b), std::max(a, b)};
    };
    Exchange exchange;
    for (int r = 0; r < ranks; ++r) exchange.owned.push_back(range()), exchange.wanted.push_back(range());
    exchange.owned[random.below(static_cast<std::uint64_t>(ranks))] = {0, extent};  // nothing is missing
    for (int to = 0; to < ranks; ++to) {
      const Range want = exchange.wanted[static_cast<std::size_t>(to)];
      std::vector<int> times(static_cast<std::size_t>(extent), 0);
      for (int from = 0; from < ranks; ++from) {
        for (const Range& part : exchange.taken(from, to)) {
          for (std::int64_t at = part.begin; at < part.end; ++at) {
            ++times[static_cast<std::size_t>(at)];
            const Range own = exchange.owned[static_cast<std::size_t>(to)];
            if (from != to) {
              EXPECT_FALSE(at >= own.begin && at < own.end) << "rank " << to << " has position " << at << " itself";
            }
          }
        }
      }
      for (std::int64_t at = 0; at < extent; ++at) EXPECT_EQ(times[static_cast<std::size_t>(at)], at >= want.begin && at < want.end ? 1 : 0);
    }
  }
}

// Runs one node alone on the plain reference.
Tensor answer(const kernels::Op& op, const std::vector<Tensor>& inputs) { return kernels::evaluate_reference(op, inputs).front(); }

Tensor rows_of(const Tensor& map, const Range& rows) {
  const Shape& shape = map.shape();
  Tensor part(DType::f32, {shape[0], shape[1], rows.size(), shape[3]});
  for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    for (std::int64_t i = 0; i < rows.size() * shape[3]; ++i) {
      part.as<float>()[static_cast<std::size_t>(plane * rows.size() * shape[3] + i)] = map.as<float>()[static_cast<std::size_t>((plane * shape[2] + rows.begin) * shape[3] + i)];
    }
  }
  return part;
}

void expect_bands_give_the_whole(const kernels::Op& op, const std::vector<Tensor>& inputs) {
  Graph graph;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorType type{DType::f32, inputs[i].shape()};
    ids.push_back(i == 0 ? graph.input("x", type) : graph.parameter("w" + std::to_string(i), type, inputs[i]));
  }
  graph.output(graph.add("node", op, ids));
  const auto window = RowWindow::of(graph, graph.nodes().front());
  ASSERT_TRUE(window);
  const Tensor whole = answer(op, inputs);
  for (std::int64_t begin = 0; begin < whole.shape()[2]; ++begin) {
    for (std::int64_t end = begin + 1; end <= whole.shape()[2]; ++end) {
      const Range wanted = window->input_of({begin, end});
      std::vector<Tensor> operands = inputs;
      operands[0] = rows_of(inputs[0], wanted);
      const Tensor part = answer(op, operands);
      const std::int64_t first = window->first_output(wanted.begin);
      ASSERT_LE(first, begin);
      ASSERT_GE(first + part.shape()[2], end);
      const Tensor here = rows_of(part, {begin - first, end - first}), there = rows_of(whole, {begin, end});
      for (std::size_t i = 0; i < here.as<float>().size(); ++i) ASSERT_EQ(here.as<float>()[i], there.as<float>()[i]) << op.text() << ", rows " << begin << " to " << end;
    }
  }
}

TEST(RowWindows, GiveEveryBandTheRowsThatItIsComputedFrom) {
  using test::random_tensor;
  for (const std::int64_t height : {1, 2, 7, 8, 13}) {
    for (const int stride : {1, 2}) {
      const Tensor x = random_tensor({1, 3, height, 5}, 1);
      expect_bands_give_the_whole(kernels::Conv2d{.stride = stride, .padding = 1}, {x, random_tensor({4, 3, 3, 3}, 2)});
      expect_bands_give_the_whole(kernels::Conv2d{}, {x, random_tensor({4, 3, 1, 1}, 2)});
      const std::vector<Tensor> block = {x, random_tensor({6, 3, 1, 1}, 3), random_tensor({6}, 4, 1, 2), random_tensor({6, 1, 3, 3}, 5), random_tensor({6}, 6, 1, 2), random_tensor({3, 6, 1, 1}, 7), random_tensor({3}, 8)};
      expect_bands_give_the_whole(kernels::InvertedResidual{.stride = stride, .has_residual = stride == 1}, block);
      std::vector<Tensor> first = block;
      first[1] = random_tensor({6, 3, 3, 3}, 9);
      expect_bands_give_the_whole(kernels::InvertedResidual{.stride = stride, .expand_stride = 2, .expand_padding = 1}, first);
      const std::vector<Tensor> none = {random_tensor({1, 6, height, 5}, 1), block[3], block[4], block[5], block[6]};
      expect_bands_give_the_whole(kernels::InvertedResidual{.stride = stride, .expand = false}, none);
    }
  }
}

}  // namespace
}  // namespace edgelab::graph

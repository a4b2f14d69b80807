// The transformer's ops by the team on tile_gemm, against their references on random shapes.
#include <gtest/gtest.h>

#include "draw.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/mlp/tile_mlp.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

Tensor in_bf16(const Tensor& values) { return tile_gemm::rounded_to_bf16(values); }

std::string shapes_of(const OpInputs& inputs) {
  std::string text;
  for (const Tensor& tensor : inputs.tensors) text += tensor.shape().text() + " ";
  return text;
}

TEST(LinearTile, GivesTheReferencesNumbersForManyRowsAndFew) {
  Draw draw(1);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t k = draw.of({1, 3, 17, 64, 192, 401}), n = draw.of({1, 10, 64, 65, 100, 192, 333});
    Linear linear{draw.coin(), draw.coin()};
    if (!linear.has_residual) linear.activation = static_cast<ActivationKind>(draw.of({0, 1, 2, 3}));
    linear.compute = draw.compute();
    if (linear.compute == DType::bf16 && linear.activation == ActivationKind::none && draw.coin()) linear.output = DType::bf16;
    const Shape x = draw.coin() ? Shape{draw.of({1, 2, 3}), draw.of({1, 5, 50, 197}), k} : Shape{draw.of({1, 2, 8, 9, 31}), k};
    Shape y = x;
    y[x.rank() - 1] = n;
    OpInputs inputs{{draw.tensor(x), draw.tensor({n, k}, 0.3f)}};
    if (linear.compute == DType::bf16 && draw.coin()) inputs.tensors[0] = in_bf16(inputs.tensors[0]);
    if (linear.has_bias) inputs.tensors.push_back(draw.tensor({n}));
    if (linear.has_residual) inputs.tensors.push_back(draw.tensor(y));
    if (draw.coin()) inputs.first_constant = inputs.tensors.size();  // as in training, where the weight changes
    Tolerance tolerance = product_tolerance(k, linear.compute);
    if (linear.output == DType::bf16) tolerance.of_value = 0x1p-7;  // one step: two sums may fall on two sides of a tie
    expect_as_reference(linear, inputs, "tile", tolerance, shapes_of(inputs));
  }
}

TEST(LayerNormLinearTile, GivesTheReferencesNumbers) {
  Draw draw(2);
  for (int trial = 0; trial < 40 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t k = draw.of({2, 17, 64, 192, 401}), n = draw.of({1, 10, 64, 100, 192, 333});
    LayerNormLinear op;
    op.has_bias = draw.coin();
    op.activation = static_cast<ActivationKind>(draw.of({0, 0, 3}));
    op.compute = draw.compute();
    op.output = op.compute == DType::bf16 && draw.coin() ? DType::bf16 : DType::f32;
    const Shape x = draw.coin() ? Shape{draw.of({1, 2, 3}), draw.of({1, 5, 50, 197}), k} : Shape{draw.of({1, 2, 8, 9, 31}), k};
    OpInputs inputs{{draw.tensor(x, 2.0f, 0.5f), draw.tensor({k}, 0.2f, 1.0f), draw.tensor({k}, 0.3f), draw.tensor({n, k}, 0.3f)}};
    if (op.has_bias) inputs.tensors.push_back(draw.tensor({n}));
    Tolerance tolerance = product_tolerance(k, op.compute);
    tolerance.of_value = op.output == DType::bf16 ? 0x1p-7 : 0;  // one step: two sums may fall on two sides of a tie
    if (op.compute == DType::f32) tolerance.of_deviation *= 4;  // of small rows with a small deviation
    expect_as_reference(op, inputs, "tile", tolerance, shapes_of(inputs));
  }
}

OpInputs mlp_inputs(Draw& draw, const Shape& x, std::int64_t hidden) {
  const std::int64_t width = x.back();
  return {{draw.tensor(x, 2.0f, 0.5f), draw.tensor({width}, 0.2f, 1.0f), draw.tensor({width}, 0.3f), draw.tensor({hidden, width}, 0.2f),
           draw.tensor({hidden}), draw.tensor({width, hidden}, 0.1f), draw.tensor({width})}};
}

TEST(MlpTile, GivesTheReferencesNumbersForManyRowsAndFew) {
  Draw draw(3);
  for (int trial = 0; trial < 40 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t width = draw.of({2, 17, 64, 100, 192}), hidden = draw.of({1, 40, 64, 200, 391, 768, 1000});
    Mlp op;
    op.activation = static_cast<ActivationKind>(draw.of({0, 1, 3, 3}));
    op.compute = draw.compute();
    const Shape x = draw.coin() ? Shape{draw.of({1, 2}), draw.of({1, 5, 50, 197}), width} : Shape{draw.of({1, 2, 8, 9, 31}), width};
    const OpInputs inputs = mlp_inputs(draw, x, hidden);
    expect_as_reference(op, inputs, "tile", product_tolerance(width + hidden, op.compute), shapes_of(inputs));
  }
}

TEST(MlpTile, DoesNotDependOnHowItIsCut) {
  Draw draw(4);
  const Mlp op;
  const OpInputs inputs = mlp_inputs(draw, {70, 96}, 600);
  const Tensor want = run_by(op, inputs, "reference", 1, 1);
  for (const std::int64_t chunk : {64, 128, 192, 576, 640}) {
    for (const std::int64_t rows : {1, 7, 24, 70}) {
      const TileMlp mlp(op, {70, 96, 600}, 2, this_machine(), chunk, rows);
      PackCache packs;
      const TileMlp::Weights weights = mlp.pack(inputs.tensors[Mlp::kUp], inputs.tensors[Mlp::kDown], packs);
      const auto scratch = allocate_aligned(mlp.scratch_bytes());
      Tensor y(DType::f32, {70, 96});
      const auto floats = [&](Mlp::Input input) { return inputs.tensors[input].as<float>().data(); };
      const TileMlp::Memory memory{floats(Mlp::kX), floats(Mlp::kNormWeight), floats(Mlp::kNormBias), floats(Mlp::kUpBias), floats(Mlp::kDownBias),
                                   &weights, y.as<float>().data(), scratch.get()};
      ThreadTeam team(2);
      team.run([&](const Member& member) { mlp.run(member, memory); });
      expect_near(y, want, product_tolerance(700, DType::f32), "chunk " + std::to_string(chunk) + ", rows " + std::to_string(rows));
    }
  }
}

TEST(PatchEmbedTile, GivesTheReferencesNumbersWithAndWithoutPrefixAndPositions) {
  Draw draw(5);
  for (int trial = 0; trial < 40 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t patch = draw.of({1, 2, 4, 7, 16}), high = draw.of({1, 2, 3}), wide = draw.of({1, 2, 5}), rest = draw.of({0, 0, 1}) % patch;
    const std::int64_t samples = draw.of({1, 2, 3, 4}), channels = draw.of({1, 3}), width = draw.of({1, 16, 64, 100});
    PatchEmbed op;
    op.has_bias = draw.coin();
    op.prefix_inputs = static_cast<int>(draw.of({0, 1, 2}));
    op.positions = static_cast<PatchEmbed::Positions>(draw.of({0, 1, 2}));
    op.compute = draw.compute();
    OpInputs inputs{{draw.tensor({samples, channels, high * patch + rest, wide * patch + rest}), draw.tensor({width, channels, patch, patch}, 0.3f)}};
    if (op.has_bias) inputs.tensors.push_back(draw.tensor({width}));
    for (int i = 0; i < op.prefix_inputs; ++i) inputs.tensors.push_back(draw.tensor({1, i + 1, width}));
    const std::int64_t prefix = op.prefix_inputs == 2 ? 3 : op.prefix_inputs, tokens = high * wide + (op.positions == PatchEmbed::Positions::all ? prefix : 0);
    if (op.positions != PatchEmbed::Positions::none) inputs.tensors.push_back(draw.tensor({1, tokens, width}));
    expect_as_reference(op, inputs, "tile", product_tolerance(channels * patch * patch, op.compute), shapes_of(inputs));
  }
}

TEST(PatchEmbedTile, CutsAnImageThatIsManyBands) {
  Draw draw(6);
  PatchEmbed op{true, 1, PatchEmbed::Positions::all};
  const OpInputs inputs{{draw.tensor({3, 3, 60, 52}), draw.tensor({20, 3, 4, 4}, 0.3f), draw.tensor({20}), draw.tensor({1, 1, 20}), draw.tensor({1, 196, 20})}};
  expect_as_reference(op, inputs, "tile", product_tolerance(48, DType::f32), shapes_of(inputs));
}

TEST(BinaryTeam, GivesTheReferencesNumbersWhereTheSecondOperandRepeats) {
  Draw draw(7);
  for (const auto kind : {Binary::Kind::add, Binary::Kind::multiply}) {
    for (const Shape& b : {Shape{3, 7, 33}, Shape{1, 7, 33}, Shape{7, 33}, Shape{33}, Shape{1}, Shape{1, 1, 33}}) {
      const OpInputs inputs{{draw.tensor({3, 7, 33}), draw.tensor(b)}};
      expect_as_reference(Binary{kind}, inputs, "team", {0, 1e-7}, shapes_of(inputs));
    }
  }
}

TEST(Bands, CoverEveryRowOnceAtTheHeightsTheyName) {
  for (const std::int64_t rows : {1, 5, 8, 9, 197, 1576}) {
    for (const std::int64_t most : {1, 7, 99, 256}) {
      for (const int threads : {1, 2, 3, 7}) {
        const tile_gemm::Bands bands{rows, most};
        const std::vector<std::int64_t> heights = bands.heights(threads);
        std::vector<int> seen(static_cast<std::size_t>(rows), 0);
        TeamBarrier barrier(threads, 0);
        for (int i = 0; i < threads; ++i) {
          bands.each(threads == 1 ? Member(0, nullptr) : Member(i, &barrier), [&](std::int64_t first, std::int64_t count) {
            EXPECT_LE(count, most);
            EXPECT_NE(std::find(heights.begin(), heights.end(), count), heights.end());
            for (std::int64_t row = first; row < first + count; ++row) ++seen[static_cast<std::size_t>(row)];
          });
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), rows);
        EXPECT_LE(heights.size(), 4u);
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::kernels::testing

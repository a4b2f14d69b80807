// The transformer's integer ops by the team, on every instruction set, against their references: the same bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "draw.hpp"
#include "each_target.hpp"
#include "kernels/quantize/byte_rows.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/quantized_linear/nibbles.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"
#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

// Numbers from −most to most.
Tensor whole_numbers(Draw& draw, const Shape& shape, int most) {
  const Tensor real = draw.tensor(shape, static_cast<float>(most) / 2);
  Tensor whole(DType::s8, shape);
  for (std::size_t i = 0; i < whole.as<std::int8_t>().size(); ++i) {
    whole.as<std::int8_t>()[i] = static_cast<std::int8_t>(std::lround(std::clamp(real.as<float>()[i], static_cast<float>(-most), static_cast<float>(most))));
  }
  return whole;
}

Tensor weight_of(Draw& draw, const Shape& shape, int bits) { return whole_numbers(draw, shape, bits == 4 ? 7 : 127); }

Tensor bytes_of(Draw& draw, const Shape& shape) {
  const Tensor real = draw.tensor(shape, 60.0f, 128.0f);
  Tensor bytes(DType::u8, shape);
  for (std::size_t i = 0; i < bytes.as<std::uint8_t>().size(); ++i) {
    bytes.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(std::lround(std::clamp(real.as<float>()[i], 0.0f, 255.0f)));
  }
  return bytes;
}

Tensor scales_of(Draw& draw, std::int64_t count, float around) {
  Tensor scales = draw.tensor({count}, around / 4, around);
  for (float& scale : scales.as<float>()) scale = std::max(std::abs(scale), around / 100);
  return scales;
}

U8Grid grid_of(Draw& draw, float scale) { return {scale, static_cast<std::int32_t>(draw.of({0, 3, 128, 128, 131, 200}))}; }

int bits_of(Draw& draw) { return draw.coin() ? 8 : 4; }

// A scale that brings sums of k products to some hundreds of steps of an output of scale 0.05.
float weight_scale(std::int64_t k, int bits) { return (bits == 4 ? 0.2f : 0.01f) / std::sqrt(static_cast<float>(k)); }

// A result that is one bound everywhere would prove nothing.
void expect_varied(const Tensor& values) {
  if (values.dtype() != DType::u8 || values.elements() < 100) return;
  const auto bytes = values.as<std::uint8_t>();
  EXPECT_NE(*std::min_element(bytes.begin(), bytes.end()), *std::max_element(bytes.begin(), bytes.end()));
}

void expect_bits_of_reference(const Op& op, const OpInputs& inputs) {
  std::string what = "{" + op.text() + "}";
  for (const Tensor& tensor : inputs.tensors) what += " " + tensor.shape().text();
  const Tensor want = run_by(op, inputs, "reference", 1, 1);
  expect_varied(want);
  for (const TeamSize& team : {TeamSize(1), TeamSize(2), TeamSize(3), TeamSize(3, 1)}) {
    const Tensor got = run_by(op, inputs, "tile", team.planned, team.running);
    ASSERT_EQ(got.bytes(), want.bytes());
    std::size_t first = 0;
    while (first < got.bytes() && got.data()[first] == want.data()[first]) ++first;
    ASSERT_EQ(first, got.bytes()) << what << ", " << team.running << " of " << team.planned << " members, differs first in element "
                                  << first / size_of(got.dtype());
  }
}

OpInputs linear_case(Draw& draw, QuantizedLinear& op) {
  const std::int64_t k = draw.of({1, 3, 17, 64, 100, 192, 401}), parts = draw.of({0, 1, 3});
  const std::int64_t n = draw.of({1, 10, 64, 65, 100, 130}) * std::max<std::int64_t>(1, parts);
  const Shape x = draw.coin() ? Shape{draw.of({1, 2}), draw.of({1, 5, 50, 197}), k} : Shape{draw.of({1, 2, 8, 9, 31}), k};
  Shape y = x;
  y[x.rank() - 1] = n;
  op.input = grid_of(draw, 0.05f);
  op.weight_bits = bits_of(draw);
  op.has_bias = draw.coin();
  for (std::int64_t i = 0; i < parts; ++i) op.outputs.push_back(grid_of(draw, 0.04f + 0.01f * static_cast<float>(i)));
  op.has_residual = parts == 0 && draw.coin();
  if (!op.has_residual) op.activation = static_cast<ActivationKind>(draw.of({0, 1, 3, 3}));
  OpInputs inputs;
  if (draw.coin()) {
    inputs.tensors.push_back(bytes_of(draw, x));
  } else {
    inputs.tensors.push_back(draw.tensor(x, 2.0f, 0.3f));
    if (draw.coin()) {
      op.epsilon = 1e-6;
      inputs.tensors.push_back(draw.tensor({k}, 0.2f, 1.0f));
      inputs.tensors.push_back(draw.tensor({k}, 0.3f));
    }
  }
  inputs.tensors.push_back(weight_of(draw, {n, k}, op.weight_bits));
  inputs.tensors.push_back(scales_of(draw, n, weight_scale(k, op.weight_bits)));
  if (op.has_bias) inputs.tensors.push_back(draw.tensor({n}));
  if (op.has_residual) inputs.tensors.push_back(draw.tensor(y));
  return inputs;
}

TEST(QuantizedLinear, GivesTheReferencesBitsForManyRowsAndFew) {
  test::on_each_target([] {
    Draw draw(11);
    for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
      QuantizedLinear op;
      const OpInputs inputs = linear_case(draw, op);
      expect_bits_of_reference(op, inputs);
    }
  });
}

TEST(QuantizedMlp, GivesTheReferencesBitsForManyRowsAndFew) {
  test::on_each_target([] {
    Draw draw(12);
    for (int trial = 0; trial < 25 && !::testing::Test::HasFatalFailure(); ++trial) {
      const std::int64_t width = draw.of({2, 17, 64, 100, 192}), hidden = draw.of({1, 40, 64, 200, 391});
      QuantizedMlp op;
      op.activation = static_cast<ActivationKind>(draw.of({0, 1, 3, 3}));
      op.input = grid_of(draw, 0.03f);
      op.hidden = grid_of(draw, 0.02f);
      op.up_bits = bits_of(draw);
      op.down_bits = bits_of(draw);
      const Shape x = draw.coin() ? Shape{draw.of({1, 2}), draw.of({1, 5, 50, 197}), width} : Shape{draw.of({1, 2, 8, 9, 31}), width};
      const OpInputs inputs{{draw.tensor(x, 2.0f, 0.5f), draw.tensor({width}, 0.2f, 1.0f), draw.tensor({width}, 0.3f),  //
                             weight_of(draw, {hidden, width}, op.up_bits), scales_of(draw, hidden, weight_scale(width, op.up_bits)), draw.tensor({hidden}),
                             weight_of(draw, {width, hidden}, op.down_bits), scales_of(draw, width, weight_scale(hidden, op.down_bits)), draw.tensor({width})}};
      expect_bits_of_reference(op, inputs);
    }
  });
}

QuantizedAttention attention_case(Draw& draw, int heads) {
  QuantizedAttention op;
  op.heads = heads;
  op.queries = grid_of(draw, 0.02f);
  op.keys = grid_of(draw, 0.03f);
  op.values = grid_of(draw, 0.02f);
  if (draw.coin()) op.scale = 0.7;
  if (draw.coin()) op.output = grid_of(draw, 0.01f);
  return op;
}

QuantizedAttention some_queries(QuantizedAttention op, std::int64_t tokens) {
  op.first_query = tokens / 3;
  op.queries_here = (tokens + 1) / 2;
  return op;
}

TEST(QuantizedAttention, OfSomeQueriesGivesTheirRowsOfTheWhole) {
  Draw draw(16);
  for (const std::int64_t tokens : {1, 33, 197, 1100}) {
    QuantizedAttention op = attention_case(draw, 2);
    op.output = grid_of(draw, 0.01f);
    const QuantizedAttention part = some_queries(op, tokens);
    const OpInputs inputs{{bytes_of(draw, {2, tokens, 3 * 2 * 8})}};
    for (const char* implementation : {"reference", "tile"}) {
      const Tensor whole = run_by(op, inputs, implementation, 1, 1), rows = run_by(part, inputs, implementation, 1, 1);
      ASSERT_EQ(rows.shape(), (Shape{2, part.queries_here, 16}));
      for (std::int64_t sample = 0; sample < 2; ++sample) {
        const auto bytes = static_cast<std::size_t>(part.queries_here * 16);
        EXPECT_EQ(std::memcmp(whole.data() + (sample * tokens + part.first_query) * 16, rows.data() + static_cast<std::size_t>(sample) * bytes, bytes), 0) << implementation << ", " << tokens;
      }
    }
  }
}

TEST(QuantizedAttention, GivesTheReferencesBitsInOnePass) {
  test::on_each_target([] {
    Draw draw(13);
    for (int trial = 0; trial < 20 && !::testing::Test::HasFatalFailure(); ++trial) {
      const std::int64_t heads = draw.of({1, 2, 3}), head_width = draw.of({1, 3, 8, 20, 64, 72}), tokens = draw.of({1, 2, 31, 33, 64, 65, 197});
      const QuantizedAttention op = attention_case(draw, static_cast<int>(heads));
      const OpInputs inputs{{bytes_of(draw, {draw.of({1, 2, 3}), tokens, 3 * heads * head_width})}};
      expect_bits_of_reference(op, inputs);
      expect_bits_of_reference(some_queries(op, tokens), inputs);
    }
  });
}

TEST(QuantizedAttention, GivesTheSameBitsInTwoPassesOverTheKeys) {
  test::on_each_target([] {
    Draw draw(14);
    for (const std::int64_t tokens : {1025, 1100, 1536}) {
      const QuantizedAttention op = attention_case(draw, 1);
      expect_bits_of_reference(op, {{bytes_of(draw, {1, tokens, 3 * 16})}});
      expect_bits_of_reference(some_queries(op, tokens), {{bytes_of(draw, {1, tokens, 3 * 16})}});
    }
  });
}

TEST(QuantizedAttention, IsCloseToAttentionInDouble) {
  constexpr std::int64_t kTokens = 60, kWidth = 16;
  Draw draw(15);
  QuantizedAttention op;
  op.queries = op.keys = op.values = {0.02f, 128};
  const Tensor qkv = bytes_of(draw, {1, kTokens, 3 * kWidth});
  const auto real = [&](std::int64_t token, std::int64_t column) {
    return 0.02 * (qkv.as<std::uint8_t>()[static_cast<std::size_t>(token * 3 * kWidth + column)] - 128);
  };
  const Tensor y = run_by(op, {{qkv}}, "tile", 1, 1);
  for (std::int64_t i = 0; i < kTokens; ++i) {
    std::vector<double> weights;
    double total = 0;
    for (std::int64_t j = 0; j < kTokens; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < kWidth; ++d) score += real(i, d) * real(j, kWidth + d);
      total += weights.emplace_back(std::exp(score / 4));
    }
    for (std::int64_t d = 0; d < kWidth; ++d) {
      double want = 0;
      for (std::int64_t j = 0; j < kTokens; ++j) want += weights[static_cast<std::size_t>(j)] / total * real(j, 2 * kWidth + d);
      // Each weight is off by half a step of 1/255 of the largest at most.
      ASSERT_NEAR(y.as<float>()[static_cast<std::size_t>(i * kWidth + d)], want, 0.05) << "token " << i << ", column " << d;
    }
  }
}

TEST(QuantizedPatchEmbed, GivesTheReferencesBitsWithAndWithoutPrefixAndPositions) {
  test::on_each_target([] {
    Draw draw(16);
    for (int trial = 0; trial < 25 && !::testing::Test::HasFatalFailure(); ++trial) {
      const std::int64_t patch = draw.of({1, 2, 4, 7, 16}), high = draw.of({1, 2, 3}), wide = draw.of({1, 2, 5}), rest = draw.of({0, 0, 1}) % patch;
      const std::int64_t samples = draw.of({1, 2, 3}), channels = draw.of({1, 3}), width = draw.of({1, 16, 64, 100}), k = channels * patch * patch;
      QuantizedPatchEmbed op;
      op.layout.has_bias = draw.coin();
      op.layout.prefix_inputs = static_cast<int>(draw.of({0, 1, 2}));
      op.layout.positions = static_cast<PatchEmbed::Positions>(draw.of({0, 1, 2}));
      op.input = grid_of(draw, 0.02f);
      op.weight_bits = bits_of(draw);
      OpInputs inputs{{draw.tensor({samples, channels, high * patch + rest, wide * patch + rest}),
                       weight_of(draw, {width, channels, patch, patch}, op.weight_bits), scales_of(draw, width, weight_scale(k, op.weight_bits))}};
      if (op.layout.has_bias) inputs.tensors.push_back(draw.tensor({width}));
      for (int i = 0; i < op.layout.prefix_inputs; ++i) inputs.tensors.push_back(draw.tensor({1, i + 1, width}));
      const std::int64_t prefix = op.layout.prefix_inputs == 2 ? 3 : op.layout.prefix_inputs;
      const std::int64_t tokens = high * wide + (op.layout.positions == PatchEmbed::Positions::all ? prefix : 0);
      if (op.layout.positions != PatchEmbed::Positions::none) inputs.tensors.push_back(draw.tensor({1, tokens, width}));
      expect_bits_of_reference(op, inputs);
    }
  });
}

TEST(QuantizeRows, RoundsToNearestEvenAndStopsAtTheBounds) {
  test::on_each_target([] {
    const std::vector<float> x = {-1e30f, -3.0f, -0.75f, -0.25f, 0.0f, 0.25f, 0.74f, 0.75f, 1.25f, 63.0f, 1e30f};
    const std::vector<std::uint8_t> want = {0, 4, 8, 10, 10, 10, 11, 12, 12, 136, 255};
    std::vector<std::uint8_t> got(x.size());
    quantize_rows(x.data(), 0, {0.5f, 10}, got.data(), 0, 1, static_cast<std::int64_t>(x.size()));
    EXPECT_EQ(got, want);
  });
}

TEST(Nibbles, ComeBackAsTheyWere) {
  test::on_each_target([] {
    for (const std::size_t count : {2, 6, 64, 130, 1024}) {
      std::vector<std::int8_t> numbers(count), back(count);
      for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::int8_t>(static_cast<int>(i * 7 % 16) - 8);
      std::vector<std::uint8_t> packed(count / 2);
      pack_nibbles(numbers.data(), packed.data(), count);
      unpack_nibbles(packed.data(), back.data(), count);
      EXPECT_EQ(back, numbers);
    }
  });
}

// What 4 bits save is memory alone.
TEST(QuantizedLinear, OfFourBitsGivesTheBitsOfTheSameNumbersInEightInHalfTheMemory) {
  Draw draw(17);
  const OpInputs inputs{{bytes_of(draw, {40, 192}), weight_of(draw, {128, 192}, 4), scales_of(draw, 128, 0.01f)}};
  QuantizedLinear four, eight;
  four.weight_bits = 4;
  const Tensor a = run_by(four, inputs, "tile", 1, 1), b = run_by(eight, inputs, "tile", 1, 1);
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.bytes()), 0);
  const auto packed_bytes = [&](const Op& op) {
    std::vector<TensorType> types;
    std::vector<Layout> layouts;
    for (const Tensor& tensor : inputs.tensors) layouts.push_back(Layout::plain(types.emplace_back(TensorType{tensor.dtype(), tensor.shape()})));
    const std::vector<TensorType> outputs = op.infer(types);
    const std::vector<Tensor> constants = {{}, inputs.tensors[1], inputs.tensors[2]};
    PackCache packs;
    return implementation_named(op, "tile").offer({op, types, outputs, constants, layouts, 1, this_machine(), &packs}).prepare().packed_bytes;
  };
  EXPECT_EQ(packed_bytes(eight) - packed_bytes(four), std::size_t{128 * 192 / 2});
}

}  // namespace
}  // namespace edgelab::kernels::testing

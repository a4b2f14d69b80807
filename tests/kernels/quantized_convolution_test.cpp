// Convolutions and blocks in integers, beside their references: the same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/random.hpp"
#include "each_target.hpp"
#include "kernel_call.hpp"
#include "kernels/pool/quantized_average_pool.hpp"
#include "kernels/quantize/quantize.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

namespace edgelab::kernels {
namespace {

using testing::call;
using testing::CallResult;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::int64_t pick(std::initializer_list<std::int64_t> choices) { return *(choices.begin() + random_.below(choices.size())); }
  bool coin() { return random_.below(2) == 0; }
  Tensor bytes(DType type, Shape shape) {
    Tensor tensor(type, shape);
    for (std::size_t i = 0; i < tensor.bytes(); ++i) {
      const auto number = static_cast<int>(random_.below(type == DType::s8 ? 255 : 256)) - (type == DType::s8 ? 127 : 0);
      tensor.data()[i] = static_cast<std::byte>(number);
    }
    return tensor;
  }
  Tensor floats(Shape shape, float low, float high) {
    Tensor tensor(DType::f32, shape);
    for (float& x : tensor.as<float>()) x = random_.uniform(low, high);
    return tensor;
  }
  U8Grid grid(float scale) { return {scale * random_.uniform(0.5f, 2.0f), static_cast<std::int32_t>(random_.below(256))}; }

 private:
  CounterRandom random_;
};

void expect_same_bits(const Op& op, const std::vector<Tensor>& inputs, std::vector<std::size_t> variable, const std::string& what) {
  const Tensor want = call(op, "reference", inputs, 1, 1, variable).output;
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(op, op.implementations().front().name, inputs, 1, threads, variable);
    ASSERT_EQ(got.refusal, "") << what << " {" << op.text() << "}";
    ASSERT_EQ(got.output.bytes(), want.bytes());
    ASSERT_EQ(std::memcmp(got.output.data(), want.data(), want.bytes()), 0) << what << " {" << op.text() << "}, threads " << threads << ", " << got.detail;
  }
}

// A convolution of `k` products whose sums come out over the whole of y's grid, and the three tensors of its weight.
void add_convolution(Draw& draw, std::vector<Tensor>& inputs, const QuantizedConv2d& conv, Shape weight) {
  const std::int64_t k = weight[1] * weight[2] * weight[3];
  const float scale = (conv.output ? conv.output->scale : 1.0f) / (conv.input.scale * 40.0f * std::sqrt(static_cast<float>(k)));
  inputs.push_back(draw.bytes(DType::s8, weight));
  inputs.push_back(draw.floats({weight[0]}, 0.01f * scale, scale));
  inputs.push_back(draw.floats({weight[0]}, -1.0f, 1.0f));
}

std::string text(const std::vector<Tensor>& inputs) { return inputs[0].shape().text() + " by " + inputs[1].shape().text(); }

TEST(QuantizedConv2d, TilesGiveTheReferencesBitsOnAnyPointwiseShape) {
  Draw draw(31);
  for (int trial = 0; trial < 80 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t in = draw.pick({1, 3, 8, 24, 65, 192}), out = draw.pick({1, 7, 16, 24, 81, 130});
    QuantizedConv2d conv;
    conv.activation = static_cast<ActivationKind>(draw.pick({0, 1, 2}));
    conv.input = draw.grid(0.02f);
    if (draw.pick({0, 1, 2, 3}) != 0) conv.output = draw.grid(0.03f);
    if (conv.output && draw.coin()) conv.residual = draw.grid(0.03f);
    const std::int64_t batch = draw.pick({1, 2, 5}), height = draw.pick({1, 2, 7, 14}), width = draw.pick({1, 3, 7, 17});
    std::vector<Tensor> inputs = {draw.bytes(DType::u8, {batch, in, height, width})};
    add_convolution(draw, inputs, conv, {out, in, 1, 1});
    if (conv.residual) inputs.push_back(draw.bytes(DType::u8, {batch, out, height, width}));
    expect_same_bits(conv, inputs, {4}, text(inputs));
  }
}

TEST(QuantizedConv2d, TilesGiveTheReferencesBitsOnAnyDepthwiseShapeOnEveryInstructionSet) {
  test::on_each_target([] {
    Draw draw(32);
    for (int trial = 0; trial < 40 && !::testing::Test::HasFatalFailure(); ++trial) {
      const std::int64_t channels = draw.pick({1, 5, 16, 31, 32, 63, 64, 96, 144, 200});
      QuantizedConv2d conv;
      conv.stride = draw.coin() ? 1 : 2, conv.padding = 1, conv.groups = static_cast<int>(channels);
      conv.activation = static_cast<ActivationKind>(draw.pick({0, 1, 2}));
      conv.input = draw.grid(0.02f), conv.output = draw.grid(0.03f);
      std::vector<Tensor> inputs = {draw.bytes(DType::u8, {draw.pick({1, 2, 3}), channels, draw.pick({1, 2, 3, 7, 14}), draw.pick({1, 2, 3, 5, 8, 17})})};
      add_convolution(draw, inputs, conv, {channels, 1, 3, 3});
      expect_same_bits(conv, inputs, {}, text(inputs));
    }
  });
}

TEST(QuantizedConv2d, TilesGiveTheReferencesBitsOnFirstConvolutionsOfAnySize) {
  Draw draw(33);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    const std::int64_t channels = draw.pick({1, 2, 3, 4}), kernel = draw.pick({1, 2, 3, 5}), out = draw.pick({1, 16, 32, 70});
    QuantizedConv2d conv;
    conv.stride = static_cast<int>(draw.pick({1, 2, 3})), conv.padding = static_cast<int>(draw.pick({0, 1, 2}));
    conv.activation = ActivationKind::relu6;
    conv.input = draw.grid(0.02f);
    if (draw.coin()) conv.output = draw.grid(0.03f);
    std::vector<Tensor> inputs = {draw.floats({draw.pick({1, 3}), channels, draw.pick({6, 9, 17}), draw.pick({5, 8, 33})}, -3.0f, 3.0f)};
    add_convolution(draw, inputs, conv, {out, channels, kernel, kernel});
    expect_same_bits(conv, inputs, {}, text(inputs));
  }
}

// One of stride 2 and several channels in two groups, by hand.
TEST(QuantizedConv2d, TheReferenceIsTheFormula) {
  QuantizedConv2d conv;
  conv.input = {0.5f, 10};
  conv.output = U8Grid{0.25f, 100};
  conv.activation = ActivationKind::relu6;
  const auto tensor = [](DType type, Shape shape, std::initializer_list<int> numbers) {
    Tensor t(type, shape);
    std::transform(numbers.begin(), numbers.end(), t.data(), [](int number) { return static_cast<std::byte>(number); });
    return t;
  };
  Tensor scale(DType::f32, {2}), bias(DType::f32, {2});
  scale.as<float>()[0] = 0.5f, scale.as<float>()[1] = 1.0f;
  bias.as<float>()[0] = 1.0f, bias.as<float>()[1] = -100.0f;
  const std::vector<Tensor> inputs = {tensor(DType::u8, {1, 2, 1, 1}, {12, 9}), tensor(DType::s8, {2, 2, 1, 1}, {3, 2, 1, 1}), scale, bias};
  const Tensor y = call(conv, "reference", inputs, 1, 1).output;
  // 2 · 3 − 1 · 2 + 4 = 8 of 1/4 each: 2, which is 8 steps; the other one is far below zero.
  EXPECT_EQ(std::to_integer<int>(y.data()[0]), 108);
  EXPECT_EQ(std::to_integer<int>(y.data()[1]), 100);
}

struct Block {
  std::int64_t batch, height, width, channels, hidden, channels_out;
  int stride;
  bool expand, residual;
  int kernel = 1, first_stride = 1, first_padding = 0;
};

void expect_block(Draw& draw, const Block& b) {
  const bool first = b.kernel > 1;
  QuantizedInvertedResidual op;
  const U8Grid x = draw.grid(0.02f), e = b.expand ? draw.grid(0.02f) : x, d = draw.grid(0.02f), y = draw.grid(0.03f);
  if (b.expand) op.convolutions.push_back({b.first_stride, b.first_padding, 1, ActivationKind::relu6, x, e, std::nullopt});
  op.convolutions.push_back({b.stride, 1, static_cast<int>(b.hidden), ActivationKind::relu6, e, d, std::nullopt});
  op.convolutions.push_back({1, 0, 1, ActivationKind::none, d, y, b.residual ? std::optional(x) : std::nullopt});
  const Shape image{b.batch, b.channels, b.height, b.width};
  std::vector<Tensor> inputs = {first ? draw.floats(image, -3.0f, 3.0f) : draw.bytes(DType::u8, image)};
  if (b.expand) add_convolution(draw, inputs, op.convolutions.front(), {b.hidden, b.channels, b.kernel, b.kernel});
  add_convolution(draw, inputs, op.depthwise(), {b.hidden, 1, 3, 3});
  add_convolution(draw, inputs, op.project(), {b.channels_out, b.hidden, 1, 1});
  expect_same_bits(op, inputs, {}, text(inputs) + " to " + std::to_string(b.channels_out));
}

TEST(QuantizedInvertedResidual, TilesGiveTheReferencesBitsOnAnyShape) {
  Draw draw(34);
  for (int trial = 0; trial < 100 && !::testing::Test::HasFatalFailure(); ++trial) {
    Block b{};
    b.stride = draw.coin() ? 1 : 2;
    b.expand = draw.pick({0, 1, 2, 3}) != 0;
    b.batch = draw.pick({1, 1, 2, 3, 5});
    b.height = draw.pick({1, 2, 3, 7, 14, 15, 20}), b.width = draw.pick({1, 2, 3, 4, 7, 14, 17});
    b.channels = draw.pick({1, 3, 8, 16, 17, 24, 40});
    b.hidden = b.expand ? draw.pick({1, 5, 16, 40, 65, 96, 144, 200}) : b.channels;
    b.residual = b.stride == 1 && draw.coin();
    b.channels_out = b.residual ? b.channels : draw.pick({1, 7, 16, 24, 81});
    expect_block(draw, b);
  }
}

TEST(QuantizedInvertedResidual, TilesGiveTheReferencesBitsBehindAFirstConvolution) {
  Draw draw(35);
  for (int trial = 0; trial < 40 && !::testing::Test::HasFatalFailure(); ++trial) {
    const Block b{draw.pick({1, 2, 3}), draw.pick({6, 9, 17}), draw.pick({5, 8, 33}), draw.pick({1, 3, 4}), draw.pick({3, 16, 32, 70}), draw.pick({2, 16, 24}),
                  draw.coin() ? 1 : 2, true, false, static_cast<int>(draw.pick({2, 3, 5})), static_cast<int>(draw.pick({1, 2, 3})), static_cast<int>(draw.pick({0, 1, 2}))};
    expect_block(draw, b);
  }
}

TEST(QuantizedInvertedResidual, TilesGiveTheReferencesBitsOnBlocksOfMobileNetV2) {
  Draw draw(36);
  for (const Block& b : {Block{1, 56, 56, 24, 144, 24, 1, true, true}, {1, 28, 28, 32, 192, 64, 2, true, false}, {1, 14, 14, 64, 384, 96, 1, true, false},
                         {1, 14, 14, 96, 576, 160, 2, true, false}, {2, 7, 7, 160, 960, 160, 1, true, true}}) {
    expect_block(draw, b);
  }
}

TEST(Quantize, GivesTheReferencesBitsThereAndBack) {
  test::on_each_target([] {
    Draw draw(37);
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 17}, Shape{2, 5, 7, 9}}) {
      const U8Grid grid = draw.grid(0.01f);
      expect_same_bits(Quantize{grid}, {draw.floats(shape, -4.0f, 4.0f)}, {}, "quantize");
      expect_same_bits(Dequantize{grid}, {draw.bytes(DType::u8, shape)}, {}, "dequantize");
    }
  });
}

TEST(QuantizedAveragePool, GivesTheReferencesBits) {
  test::on_each_target([] {
    Draw draw(38);
    for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 70, 7, 7}, Shape{3, 1280, 3, 5}}) {
      expect_same_bits(QuantizedAveragePool{draw.grid(0.02f)}, {draw.bytes(DType::u8, shape)}, {}, "pool");
    }
  });
}

}  // namespace
}  // namespace edgelab::kernels

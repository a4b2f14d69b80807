#include "models/mobilenet_v2.hpp"

#include <algorithm>
#include <string>

#include "kernels/activation/activation.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pool/global_average_pool.hpp"

namespace edgelab::models {

namespace {

using graph::Graph;
using graph::TensorType;
using graph::ValueId;
using kernels::ActivationKind;

// Table 2 of the paper.
struct Stage {
  int expansion, channels, blocks, first_stride;
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
constexpr int kStemChannels = 32, kHeadChannels = 1280;

// torchvision's _make_divisible: the nearest multiple of 8, the next one up if that would lose more than a tenth.
int rounded_channels(double channels) {
  constexpr int kMultiple = 8;
  const int nearest = std::max(kMultiple, static_cast<int>(channels + kMultiple / 2.0) / kMultiple * kMultiple);
  return nearest < 0.9 * channels ? nearest + kMultiple : nearest;
}

struct Conv {
  std::int64_t channels;
  int kernel = 1, stride = 1;
  bool depthwise = false;
};

class Builder {
 public:
  explicit Builder(std::int64_t batch, int input_size)
      : x_(graph_.input("images", TensorType{DType::f32, {batch, 3, input_size, input_size}})) {}

  std::int64_t channels() const { return graph_.type(x_).shape[1]; }

  void conv(const std::string& name, const Conv& conv) {
    const int groups = conv.depthwise ? static_cast<int>(channels()) : 1;
    const ValueId weight =
        graph_.parameter(name + ".weight", {DType::f32, {conv.channels, channels() / groups, conv.kernel, conv.kernel}});
    x_ = graph_.add(name, kernels::Conv2d{.stride = conv.stride, .padding = (conv.kernel - 1) / 2, .groups = groups}, {x_, weight});
  }

  void batch_norm(const std::string& name) {
    const TensorType type{DType::f32, {channels()}};
    const ValueId weight = graph_.parameter(name + ".weight", type), bias = graph_.parameter(name + ".bias", type);
    const ValueId mean = graph_.buffer(name + ".running_mean", type), variance = graph_.buffer(name + ".running_var", type);
    x_ = graph_.add(name, kernels::BatchNorm{}, {x_, weight, bias, mean, variance});
  }

  // torchvision's Conv2dNormActivation: members 0, 1 and 2.
  void conv_norm_relu6(const std::string& name, const Conv& settings) {
    conv(name + ".0", settings);
    batch_norm(name + ".1");
    x_ = graph_.add(name + ".2", kernels::Activation{ActivationKind::relu6}, {x_});
  }

  void inverted_residual(const std::string& name, int expansion, std::int64_t channels_out, int stride) {
    const ValueId shortcut = x_;
    const std::int64_t channels_in = channels(), hidden = channels_in * expansion;
    int member = 0;
    const auto next = [&] { return name + ".conv." + std::to_string(member++); };
    if (expansion != 1) conv_norm_relu6(next(), {hidden});
    conv_norm_relu6(next(), {hidden, 3, stride, true});
    conv(next(), {channels_out});
    batch_norm(next());
    if (stride == 1 && channels_in == channels_out) x_ = graph_.add(name + ".add", kernels::Binary{kernels::Binary::Kind::add}, {shortcut, x_});
  }

  Graph classifier(int classes) {
    x_ = graph_.add("avgpool", kernels::GlobalAveragePool{}, {x_});
    const ValueId weight = graph_.parameter("classifier.1.weight", {DType::f32, {classes, channels()}});
    const ValueId bias = graph_.parameter("classifier.1.bias", {DType::f32, {classes}});
    graph_.output(graph_.add("classifier.1", kernels::Linear{.has_bias = true}, {x_, weight, bias}));
    return std::move(graph_);
  }

 private:
  Graph graph_;
  ValueId x_;
};

}  // namespace

Graph mobilenet_v2(const MobileNetV2Settings& settings, std::int64_t batch) {
  Builder builder(batch, settings.input_size);
  int feature = 0;
  const auto next = [&] { return "features." + std::to_string(feature++); };
  builder.conv_norm_relu6(next(), {rounded_channels(kStemChannels * settings.width_mult), 3, 2});
  for (const Stage& stage : kStages) {
    const int channels = rounded_channels(stage.channels * settings.width_mult);
    for (int block = 0; block < stage.blocks; ++block) {
      builder.inverted_residual(next(), stage.expansion, channels, block == 0 ? stage.first_stride : 1);
    }
  }
  builder.conv_norm_relu6(next(), {rounded_channels(kHeadChannels * std::max(1.0, settings.width_mult))});
  return builder.classifier(settings.classes);
}

}  // namespace edgelab::models

#include "models/vision_transformer.hpp"

#include <string>

#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::models {

namespace {

using graph::Graph;
using graph::TensorType;
using graph::ValueId;
using kernels::Binary;

constexpr int kMlpRatio = 4;
constexpr double kEpsilon = 1e-6;

class Builder {
 public:
  explicit Builder(const VisionTransformerSettings& settings) : settings_(settings) {}

  // images [N, 3, S, S] → tokens [N, T, D]: class token, distillation token if any, then the patches row by row.
  ValueId embed(std::int64_t batch) {
    const int size = settings_.img_size, patch = settings_.patch_size, width = settings_.embed_dim;
    const ValueId images = graph_.input("images", {DType::f32, {batch, 3, size, size}});
    const ValueId class_token = weight("cls_token", {1, 1, width});
    std::vector<ValueId> tokens = {class_token};
    if (settings_.distillation_token) tokens.push_back(weight("dist_token", {1, 1, width}));
    const std::int64_t patches = std::int64_t{size / patch} * (size / patch);
    const std::int64_t positions = patches + (settings_.class_token_position ? static_cast<std::int64_t>(tokens.size()) : 0);
    const ValueId position = weight("pos_embed", {1, positions, width});

    const ValueId kernel = weight("patch_embed.proj.weight", {width, 3, patch, patch});
    const ValueId bias = weight("patch_embed.proj.bias", {width});
    const ValueId map = graph_.add("patch_embed.proj", kernels::Conv2d{.stride = patch, .has_bias = true}, {images, kernel, bias});
    ValueId x = graph_.add("patch_embed.to_tokens", kernels::ToTokens{}, {map});
    // DeiT III adds the positions before it prepends the class token, the others after.
    if (!settings_.class_token_position) x = add("pos_embed", x, position);
    tokens.push_back(x);
    x = graph_.add("prefix_tokens", kernels::ConcatTokens{}, tokens);
    return settings_.class_token_position ? add("pos_embed", x, position) : x;
  }

  // x + ls1(attention(norm1(x))), then the same with the MLP.
  ValueId block(const std::string& name, ValueId x) {
    const std::int64_t width = settings_.embed_dim;
    ValueId branch = layer_norm(name + ".norm1", x);
    branch = linear(name + ".attn.qkv", branch, 3 * width);
    branch = graph_.add(name + ".attn", kernels::Attention{.heads = settings_.num_heads}, {branch});
    branch = linear(name + ".attn.proj", branch, width);
    x = add(name + ".add1", x, scaled(name + ".ls1", branch));

    branch = layer_norm(name + ".norm2", x);
    branch = linear(name + ".mlp.fc1", branch, kMlpRatio * width);
    branch = graph_.add(name + ".mlp.act", kernels::Activation{kernels::ActivationKind::gelu}, {branch});
    branch = linear(name + ".mlp.fc2", branch, width);
    return add(name + ".add2", x, scaled(name + ".ls2", branch));
  }

  // [N, T, D] → logits [N, classes].
  ValueId head(ValueId tokens) {
    const ValueId x = layer_norm("norm", tokens);
    const ValueId logits = linear("head", select(x, 0, "cls"), settings_.classes);
    if (!settings_.distillation_token) return logits;
    const ValueId others = linear("head_dist", select(x, 1, "dist"), settings_.classes);
    Tensor half(DType::f32, {1});
    half.as<float>()[0] = 0.5f;
    return graph_.add("heads.mean", Binary{Binary::Kind::multiply}, {add("heads.sum", logits, others), graph_.constant("half", half)});
  }

  Graph finish(ValueId logits) {
    graph_.output(logits);
    return std::move(graph_);
  }

 private:
  ValueId weight(std::string name, Shape shape) { return graph_.parameter(std::move(name), {DType::f32, shape}); }
  ValueId add(std::string name, ValueId a, ValueId b) { return graph_.add(std::move(name), Binary{Binary::Kind::add}, {a, b}); }
  ValueId select(ValueId x, std::int64_t index, const std::string& token) {
    return graph_.add("pool." + token, kernels::SelectToken{index}, {x});
  }
  ValueId layer_norm(const std::string& name, ValueId x) {
    const std::int64_t width = settings_.embed_dim;
    const ValueId gain = weight(name + ".weight", {width}), bias = weight(name + ".bias", {width});
    return graph_.add(name, kernels::LayerNorm{kEpsilon}, {x, gain, bias});
  }
  ValueId linear(const std::string& name, ValueId x, std::int64_t width) {
    const ValueId matrix = weight(name + ".weight", {width, graph_.type(x).shape.back()}), bias = weight(name + ".bias", {width});
    return graph_.add(name, kernels::Linear{.has_bias = true}, {x, matrix, bias});
  }
  ValueId scaled(const std::string& name, ValueId x) {
    if (!settings_.layer_scale) return x;
    return graph_.add(name, Binary{Binary::Kind::multiply}, {x, weight(name + ".gamma", {settings_.embed_dim})});
  }

  const VisionTransformerSettings& settings_;
  Graph graph_;
};

}  // namespace

Graph vision_transformer(const VisionTransformerSettings& settings, std::int64_t batch) {
  Builder builder(settings);
  ValueId x = builder.embed(batch);
  for (int i = 0; i < settings.depth; ++i) x = builder.block("blocks." + std::to_string(i), x);
  return builder.finish(builder.head(x));
}

}  // namespace edgelab::models

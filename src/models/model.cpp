#include "models/model.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "models/mobilenet_v2.hpp"
#include "models/vision_transformer.hpp"

namespace edgelab::models {

namespace {

// Bounds far above anything sensible, so that a slip of the hand is named before it asks for all memory.
constexpr int kMostClasses = 1'000'000, kMostPixels = 4096, kMostBlocks = 256, kMostWidth = 16'384;
constexpr double kMostWidthMult = 16.0;

VisionTransformerSettings vit_settings(const ModelOptions& options, const ArchInfo& info) {
  VisionTransformerSettings settings;
  settings.classes = options.classes.value_or(info.classes);
  settings.img_size = options.img_size.value_or(options.input_size.value_or(info.input_size));
  settings.patch_size = options.patch_size.value_or(info.vit.patch_size);
  settings.depth = options.depth.value_or(info.vit.depth);
  settings.embed_dim = options.embed_dim.value_or(info.vit.embed_dim);
  settings.num_heads = options.num_heads.value_or(info.vit.num_heads);
  settings.distillation_token = info.vit.distillation_token;
  settings.layer_scale = info.vit.layer_scale;
  settings.class_token_position = info.vit.class_token_position;
  return settings;
}

class Checker {
 public:
  void in_range(const char* key, const std::optional<int>& value, int most) {
    if (value && (*value < 1 || *value > most)) add(key, "the value is out of range", std::to_string(*value), fmt::format("1 to {}", most));
  }
  template <class T> void absent(const char* key, const std::optional<T>& value, const ArchInfo& info, const char* known) {
    if (value) add(key, fmt::format("{} has no such setting", info.name), fmt::format("{}", *value), known);
  }
  void add(std::string key, std::string what, std::string got, std::string expected) {
    problems_.push_back({std::move(key), std::move(what), std::move(got), std::move(expected)});
  }
  std::vector<OptionProblem> take() { return std::move(problems_); }
  bool none() const { return problems_.empty(); }

 private:
  std::vector<OptionProblem> problems_;
};

void check_mobilenet(const ModelOptions& options, const ArchInfo& info, Checker& checker) {
  constexpr const char* kKnown = "classes, input_size or width_mult";
  checker.absent("img_size", options.img_size, info, kKnown);
  checker.absent("patch_size", options.patch_size, info, kKnown);
  checker.absent("depth", options.depth, info, kKnown);
  checker.absent("embed_dim", options.embed_dim, info, kKnown);
  checker.absent("num_heads", options.num_heads, info, kKnown);
  if (options.width_mult && !(*options.width_mult > 0.0 && *options.width_mult <= kMostWidthMult)) {
    checker.add("width_mult", "the value is out of range", fmt::format("{}", *options.width_mult), fmt::format("above 0, at most {}", kMostWidthMult));
  }
}

void check_vit(const ModelOptions& options, const ArchInfo& info, Checker& checker) {
  checker.absent("width_mult", options.width_mult, info, "img_size, patch_size, depth, embed_dim or num_heads");
  checker.in_range("img_size", options.img_size, kMostPixels);
  checker.in_range("patch_size", options.patch_size, kMostPixels);
  checker.in_range("depth", options.depth, kMostBlocks);
  checker.in_range("embed_dim", options.embed_dim, kMostWidth);
  checker.in_range("num_heads", options.num_heads, kMostWidth);
  if (options.input_size && options.img_size && *options.input_size != *options.img_size) {
    checker.add("input_size", "input_size and img_size of a vision transformer are one setting", std::to_string(*options.input_size),
                fmt::format("{}, as img_size says", *options.img_size));
  }
  if (!checker.none()) return;  // the divisions below would blame the wrong key
  const VisionTransformerSettings settings = vit_settings(options, info);
  if (settings.img_size % settings.patch_size != 0) {
    checker.add(options.img_size ? "img_size" : options.input_size ? "input_size" : "patch_size", "patches must cover the image exactly",
                fmt::format("img_size {}, patch_size {}", settings.img_size, settings.patch_size), "img_size a multiple of patch_size");
  }
  if (settings.embed_dim % settings.num_heads != 0) {
    checker.add(options.num_heads ? "num_heads" : "embed_dim", "the heads must share the width evenly",
                fmt::format("embed_dim {}, num_heads {}", settings.embed_dim, settings.num_heads), "embed_dim a multiple of num_heads");
  }
}

}  // namespace

std::vector<OptionProblem> problems_of(const ModelOptions& options) {
  const ArchInfo& info = arch_named(options.arch);
  Checker checker;
  checker.in_range("classes", options.classes, kMostClasses);
  checker.in_range("input_size", options.input_size, kMostPixels);
  if (info.family == Family::mobilenet_v2) {
    check_mobilenet(options, info, checker);
  } else {
    check_vit(options, info, checker);
  }
  return checker.take();
}

int input_size_of(const ModelOptions& options) {
  return options.img_size.value_or(options.input_size.value_or(arch_named(options.arch).input_size));
}

graph::Graph build(const ModelOptions& options, std::int64_t batch) {
  const ArchInfo& info = arch_named(options.arch);
  const std::vector<OptionProblem> problems = problems_of(options);
  if (!problems.empty()) {
    const OptionProblem& first = problems.front();
    throw Error(ErrorKind::usage, fmt::format("model.{}: {}", first.key, first.what)).got(first.got).expected(first.expected);
  }
  if (batch < 1) throw Error(ErrorKind::usage, "batch: the value is out of range").got(std::to_string(batch)).expected("1 or more");
  if (info.family == Family::vision_transformer) return vision_transformer(vit_settings(options, info), batch);
  return mobilenet_v2({options.classes.value_or(info.classes), options.input_size.value_or(info.input_size), options.width_mult.value_or(1.0)}, batch);
}

}  // namespace edgelab::models

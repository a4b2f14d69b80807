#include "models/arch.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace edgelab::models {

namespace {

constexpr std::array<float, 3> kImageNetMean = {0.485f, 0.456f, 0.406f}, kImageNetStd = {0.229f, 0.224f, 0.225f};
constexpr std::array<float, 3> kInceptionMean = {0.5f, 0.5f, 0.5f}, kInceptionStd = {0.5f, 0.5f, 0.5f};

struct Size {
  const char* name;
  int embed_dim, num_heads;
};
constexpr Size kTiny = {"tiny", 192, 3}, kSmall = {"small", 384, 6}, kBase = {"base", 768, 12};

VitDefaults plain(Size size) { return {16, 12, size.embed_dim, size.num_heads, false, false, true}; }
VitDefaults distilled(Size size) { return {16, 12, size.embed_dim, size.num_heads, true, false, true}; }
VitDefaults third_generation(Size size) { return {16, 12, size.embed_dim, size.num_heads, false, true, false}; }

// Statistics and interpolation as torchvision 0.29 and timm 1.0 state them for the weights they publish.
ArchInfo vit(const std::string& prefix, Size size, const std::string& suffix, VitDefaults defaults) {
  const bool inception = prefix == "vit";
  return {prefix + "_" + size.name + suffix, Family::vision_transformer, 224, 1000, inception ? kInceptionMean : kImageNetMean,
          inception ? kInceptionStd : kImageNetStd, Interpolation::bicubic, defaults};
}

std::vector<ArchInfo> make_arches() {
  std::vector<ArchInfo> list = {
      {"mobilenet_v2", Family::mobilenet_v2, 224, 1000, kImageNetMean, kImageNetStd, Interpolation::bilinear, {}}};
  for (const Size size : {kTiny, kSmall, kBase}) list.push_back(vit("vit", size, "_patch16_224", plain(size)));
  for (const Size size : {kTiny, kSmall, kBase}) list.push_back(vit("deit", size, "_patch16_224", plain(size)));
  for (const Size size : {kTiny, kSmall}) list.push_back(vit("deit", size, "_distilled_patch16_224", distilled(size)));
  for (const Size size : {kSmall, kBase}) list.push_back(vit("deit3", size, "_patch16_224", third_generation(size)));
  return list;
}

}  // namespace

const std::vector<ArchInfo>& arches() {
  static const std::vector<ArchInfo> list = make_arches();
  return list;
}

const ArchInfo* find_arch(std::string_view name) {
  const auto found = std::ranges::find(arches(), name, &ArchInfo::name);
  return found == arches().end() ? nullptr : &*found;
}

const ArchInfo& arch_named(std::string_view name) {
  if (const ArchInfo* info = find_arch(name)) return *info;
  std::vector<std::string> names;
  std::string all;
  for (const ArchInfo& info : arches()) {
    names.push_back(info.name);
    all += (all.empty() ? "" : ", ") + info.name;
  }
  const std::string nearest = nearest_name(name, names);
  Error error(ErrorKind::usage, "model.arch: there is no such architecture");
  throw std::move(error).got("\"" + std::string(name) + "\"").expected("one of " + all)
      .hint(nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
}

}  // namespace edgelab::models

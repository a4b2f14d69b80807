#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab::models {

enum class Family : std::uint8_t { mobilenet_v2, vision_transformer };
enum class Interpolation : std::uint8_t { bilinear, bicubic };

// What a member of the ViT family is built with unless asked otherwise.
struct VitDefaults {
  int patch_size = 16, depth = 12, embed_dim = 192, num_heads = 3;
  bool distillation_token = false;    // a second token and head; inference averages the two (DeiT, Touvron et al. 2021)
  bool layer_scale = false;           // a learnt gain a channel after attention and MLP (CaiT, DeiT III)
  bool class_token_position = true;   // false: the position embedding covers the patches alone (DeiT III)
};

// A model by its torchvision or timm name, and how the images of its published weights were prepared: square, resized,
// scaled to [0, 1], then (x − mean) / std for red, green, blue.
struct ArchInfo {
  std::string name;
  Family family{};
  int input_size = 224;
  int classes = 1000;
  std::array<float, 3> mean{}, std{};
  Interpolation interpolation{};
  VitDefaults vit;  // of the ViT family only
};

const std::vector<ArchInfo>& arches();

// nullptr if there is none of that name.
const ArchInfo* find_arch(std::string_view name);

// Throws Error (usage), with the nearest name, if there is none.
const ArchInfo& arch_named(std::string_view name);

}  // namespace edgelab::models

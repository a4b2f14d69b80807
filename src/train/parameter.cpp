#include "train/parameter.hpp"

#include <algorithm>
#include <array>

namespace edgelab::train {

bool decays(std::string_view name, const Shape& shape) {
  static constexpr std::array<std::string_view, 3> kNever = {"cls_token", "dist_token", "pos_embed"};
  return shape.rank() >= 2 && std::ranges::find(kNever, name) == kNever.end();
}

}  // namespace edgelab::train

#include "kernels/reorder/reorder.hpp"

namespace edgelab::kernels {

std::vector<TensorType> Reorder::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  return {inputs[0]};
}

std::string Reorder::text() const {
  switch (target.kind()) {
    case Layout::Kind::plain: return "to plain";
    case Layout::Kind::channels_last: return "to channels-last";
    case Layout::Kind::opaque: return "to the library's own layout";
  }
  return "";
}

std::span<const Implementation> Reorder::implementations() {
  static constexpr Implementation list[] = {{"onednn", reorder_onednn}, {"reference", reorder_reference}};
  return list;
}

}  // namespace edgelab::kernels

#pragma once

#include <string_view>
#include <vector>

#include "kernels/aligned.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/onednn/onednn.hpp"

// What oneDNN's three convolutions (forward, by the input, by the weight) have in common.
namespace edgelab::kernels::onednn {

struct Geometry {
  explicit Geometry(const Conv2d& conv) : strides{conv.stride, conv.stride}, dilation{0, 0}, padding{conv.padding, conv.padding} {}
  Dims strides, dilation, padding;
};

// oneDNN gives grouped weights an axis of their own: [O, C/g, KH, KW] and [g, O/g, C/g, KH, KW] are the same bytes.
inline Desc weight_desc(const TensorType& w, int groups, bool plain) {
  Dims dims = dims_of(w.shape);
  if (groups > 1) dims = {groups, dims[0] / groups, dims[1], dims[2], dims[3]};
  const Tag plain_tag = groups > 1 ? Tag::abcde : Tag::abcd;
  return {dims, type_of(w.dtype), plain ? plain_tag : Tag::any};
}

// How the images of both sides might lie.
struct ImageDescs {
  Desc x, y;
};

// In training all images lie channels last, so that nobody has to reorder a gradient: layouts of oneDNN's own come last. A
// network's first images are plain, and few channels have fast kernels that read them so.
inline std::vector<ImageDescs> images_in_training(const TensorType& x, const TensorType& y) {
  const auto last = [](const TensorType& type) { return desc_of(Layout::channels_last(type), type); };
  std::vector<ImageDescs> descs;
  if (x.shape[1] <= 4) descs.push_back({plain_desc(x), last(y)});
  descs.push_back({last(x), last(y)});
  descs.push_back({any_desc(x), any_desc(y)});
  return descs;
}

// gemm builds columns in memory first; ref is a loop.
inline bool is_fast(std::string_view implementation) {
  return !implementation.starts_with("gemm:") && !implementation.starts_with("ref");
}

// The description for the first of `images` for which oneDNN has a fast kernel; if it has none, for the last that it takes at all.
// Throws dnnl::error if it takes none.
template <class Describe> auto first_fast(const std::vector<ImageDescs>& images, const Describe& describe) {
  decltype(describe(images.front())) found;
  for (const ImageDescs& candidate : images) {
    try {
      auto description = describe(candidate);
      found = description;
      if (is_fast(description.impl_info_str())) break;
    } catch (const dnnl::error&) {
    }
  }
  if (!found) throw dnnl::error(dnnl_unimplemented, "oneDNN has no convolution for this");
  return found;
}

// Pieces of an op's scratch, handed out one behind the other.
class Scratch {
 public:
  std::size_t take(std::size_t bytes) {
    const std::size_t offset = bytes_;
    bytes_ += aligned(bytes);
    return offset;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

// A weight, or its gradient, that a primitive has in a layout of its own while the graph has it plain: a piece of scratch
// and a reorder in the step. Without a reorder where the two are the same.
class WeightInStep {
 public:
  // `outside`: the input or output that the graph knows; reorders into it if it is an output, else from it.
  WeightInStep(int id, const Desc& plain, const Desc& wanted, Argument::Source outside, std::size_t index, Scratch& scratch)
      : outside_{0, plain, outside, index, {}}, inside_{id, wanted, Argument::Source::scratch, 0, {}} {
    if (plain == wanted) {
      inside_.source = outside, inside_.index = index;
      return;
    }
    const bool out = outside == Argument::Source::output;
    reorder_ = dnnl::reorder::primitive_desc(engine(), out ? wanted : plain, engine(), out ? plain : wanted, user_scratchpad());
    inside_.index = scratch.take(wanted.get_size());
    scratchpad_ = scratch.take(reorder_.scratchpad_desc().get_size());
  }

  // What the primitive is given.
  const Argument& argument() const { return inside_; }
  // Adds the reorder, if there is one.
  void add_to(std::vector<Call>& calls) const {
    if (!reorder_) return;
    const bool out = outside_.source == Argument::Source::output;
    Argument from = out ? inside_ : outside_, to = out ? outside_ : inside_;
    from.id = DNNL_ARG_FROM, to.id = DNNL_ARG_TO;
    calls.push_back({dnnl::reorder(reorder_), {from, to, {DNNL_ARG_SCRATCHPAD, reorder_.scratchpad_desc(), Argument::Source::scratch, scratchpad_, {}}}});
  }

 private:
  Argument outside_, inside_;
  dnnl::reorder::primitive_desc reorder_;
  std::size_t scratchpad_ = 0;
};

}  // namespace edgelab::kernels::onednn

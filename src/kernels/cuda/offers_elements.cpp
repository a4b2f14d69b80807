// What computes little or nothing: activations, sums, and copies from one place to another.
#include "kernels/binary/binary.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/device_constant.hpp"
#include "kernels/cuda/offers.hpp"
#include "kernels/reorder/reorder.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels::cuda {
namespace {

int bytes_of(DType type) { return static_cast<int>(size_of(type)); }
bool movable(DType type) { return size_of(type) == 2 || size_of(type) == 4; }

// A step that launches `arguments` from the first input to the output.
template <class Arguments> std::function<PreparedKernel()> one_launch(const Arguments& arguments) {
  return [arguments] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      Arguments a = arguments;
      a.x = buffers.inputs[0];
      a.y = buffers.outputs[0];
      return [a] { backend().launch(a); };
    }};
  };
}

Layout like(const Layout& layout, const TensorType& type) {
  return layout.kind() == Layout::Kind::channels_last ? Layout::channels_last(type) : Layout::plain(type);
}

}  // namespace

Offer activation_elements(const DeviceSite& device) {
  const CallSite& site = device.site;
  ElementwiseArguments arguments;
  arguments.elements = site.inputs[0].elements();
  arguments.activation = site.op.as<Activation>()->kind;
  arguments.a.type = element_of(site.inputs[0].dtype);
  arguments.y.type = element_of(site.outputs[0].dtype);
  Offer offer = plain_offer(site, [arguments] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      ElementwiseArguments a = arguments;
      a.a.data = buffers.inputs[0];
      a.y.data = buffers.outputs[0];
      return [a] { backend().launch(a); };
    }};
  });
  offer.inputs[0] = like(site.offered[0], site.inputs[0]);
  offer.outputs[0] = like(site.offered[0], site.outputs[0]);
  return offer;
}

Offer binary_elements(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Shape& a_shape = site.inputs[0].shape;
  const Shape b_shape = aligned_shape(site.inputs[1].shape, a_shape.rank());
  if (site.inputs[0].dtype != DType::f32 || site.inputs[1].dtype != DType::f32) return Offer::refuse("fp32 alone");
  ElementwiseArguments arguments;
  arguments.elements = a_shape.elements();
  arguments.multiply = site.op.as<Binary>()->kind == Binary::Kind::multiply;
  // b is ones, then a's own extents, then ones again.
  int axis = a_shape.rank() - 1;
  for (; axis >= 0 && b_shape[axis] == 1 && a_shape[axis] != 1; --axis) arguments.b_step *= a_shape[axis];
  for (; axis >= 0 && b_shape[axis] == a_shape[axis]; --axis) arguments.b_elements *= a_shape[axis];
  for (; axis >= 0; --axis) {
    if (b_shape[axis] != 1) return Offer::refuse("a second operand that repeats in two places");
  }
  return plain_offer(site, [arguments, constants = Constants(site)] {
    const Tensor a = constants.has(0) ? constants.device(0) : Tensor(), b = constants.has(1) ? constants.device(1) : Tensor();
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      ElementwiseArguments own = arguments;
      own.a.data = a.defined() ? a.data() : buffers.inputs[0];
      own.b = reinterpret_cast<const float*>(b.defined() ? b.data() : buffers.inputs[1]);
      own.y.data = buffers.outputs[0];
      return [own, a, b] { backend().launch(own); };
    }};
  });
}

Offer reorder_transpose(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Layout from = site.offered[0], to = site.op.as<Reorder>()->target;
  const Shape& x = site.inputs[0].shape;
  if (x.rank() != 4 || from.kind() == Layout::Kind::opaque || to.kind() == Layout::Kind::opaque) return Offer::refuse("images, plain or channels last, alone");
  if (!movable(site.inputs[0].dtype)) return Offer::refuse("elements of two or four bytes alone");
  TransposeArguments arguments;
  const bool to_last = to.kind() == Layout::Kind::channels_last;
  arguments.batch = x[0];
  arguments.rows = to_last ? x[1] : x[2] * x[3];
  arguments.columns = to_last ? x[2] * x[3] : x[1];
  arguments.bytes = bytes_of(site.inputs[0].dtype);
  Offer offer = plain_offer(site, one_launch(arguments));
  offer.inputs[0] = from;
  offer.outputs[0] = to;
  return offer;
}

Offer to_tokens_copy(const DeviceSite& device) {
  const CallSite& site = device.site;
  if (!movable(site.inputs[0].dtype)) return Offer::refuse("elements of two or four bytes alone");
  RowCopyArguments arguments;
  arguments.outer = 1;
  arguments.inner = site.inputs[0].elements();
  arguments.bytes = bytes_of(site.inputs[0].dtype);
  Offer offer = plain_offer(site, one_launch(arguments));
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  return offer;
}

Offer concat_tokens_copy(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Shape& y = site.outputs[0].shape;
  if (!movable(site.outputs[0].dtype)) return Offer::refuse("elements of two or four bytes alone");
  std::vector<RowCopyArguments> copies;
  for (const TensorType& input : site.inputs) {
    RowCopyArguments copy;
    copy.outer = y[0];
    copy.inner = input.shape[1] * y[2];
    copy.x_stride = input.shape[0] == 1 ? 0 : copy.inner;
    copy.y_stride = y[1] * y[2];
    copy.bytes = bytes_of(site.outputs[0].dtype);
    copies.push_back(copy);
  }
  return plain_offer(site, [copies, constants = Constants(site)] {
    std::vector<Tensor> known;
    for (std::size_t i = 0; i < copies.size(); ++i) known.push_back(constants.has(i) ? constants.device(i) : Tensor());
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      std::vector<RowCopyArguments> bound = copies;
      std::int64_t before = 0;
      for (std::size_t i = 0; i < bound.size(); ++i) {
        bound[i].x = known[i].defined() ? known[i].data() : buffers.inputs[i];
        bound[i].y = buffers.outputs[0] + before * bound[i].bytes;
        before += bound[i].inner;
      }
      return [bound, known] {
        for (const RowCopyArguments& copy : bound) backend().launch(copy);
      };
    }};
  });
}

Offer select_token_copy(const DeviceSite& device) {
  const CallSite& site = device.site;
  const Shape& x = site.inputs[0].shape;
  if (!movable(site.inputs[0].dtype)) return Offer::refuse("elements of two or four bytes alone");
  RowCopyArguments arguments;
  arguments.outer = x[0];
  arguments.inner = x[2];
  arguments.x_stride = x[1] * x[2];
  arguments.y_stride = x[2];
  arguments.bytes = bytes_of(site.inputs[0].dtype);
  const std::int64_t skipped = site.op.as<SelectToken>()->index * x[2] * arguments.bytes;
  return plain_offer(site, [arguments, skipped] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      RowCopyArguments a = arguments;
      a.x = buffers.inputs[0] + skipped;
      a.y = buffers.outputs[0];
      return [a] { backend().launch(a); };
    }};
  });
}

}  // namespace edgelab::kernels::cuda

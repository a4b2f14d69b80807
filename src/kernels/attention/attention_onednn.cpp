#include "kernels/aligned.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/onednn/onednn.hpp"

namespace edgelab::kernels {
namespace {

using onednn::Argument;
using onednn::Desc;
using onednn::Dims;
using onednn::Tag;

// Views of the fused [N, T, 3, heads, d] input and the [N, T, heads, d] output as the operands of batched products
// [N, heads, rows, columns]: strides do what copies would.
struct Views {
  Desc query, key, value, scores, output;
  std::size_t query_offset, key_offset, value_offset;  // bytes into qkv
};

Views views_of(const TensorType& qkv, const TensorType& output, int heads, std::int64_t first_query) {
  const std::int64_t n = output.shape[0], t = qkv.shape[1], rows = output.shape[1], width = output.shape[2], d = width / heads;
  const auto type = onednn::type_of(output.dtype);
  const Dims packed{t * 3 * width, d, 3 * width, 1};
  Views views;
  views.query = Desc({n, heads, rows, d}, type, packed);
  views.key = Desc({n, heads, d, t}, type, Dims{packed[0], packed[1], packed[3], packed[2]});
  views.value = Desc({n, heads, t, d}, type, packed);
  views.scores = Desc({n, heads, rows, t}, type, Tag::abcd);
  views.output = Desc({n, heads, rows, d}, type, Dims{rows * width, d, width, 1});
  views.query_offset = static_cast<std::size_t>(first_query * 3 * width) * size_of(output.dtype);
  views.key_offset = static_cast<std::size_t>(width) * size_of(output.dtype);
  views.value_offset = 2 * views.key_offset;
  return views;
}

// The step of a call whose operands start inside the qkv buffer.
Buffers shifted(const Buffers& buffers, std::vector<const std::byte*>& inputs, std::size_t first, std::size_t second) {
  inputs = {buffers.inputs[0] + first, buffers.inputs[0] + second};
  return {inputs, buffers.outputs, buffers.scratch};
}

Offer offer_of(const CallSite& site, const Attention& settings, std::int64_t first_query) {
  if (settings.algorithm == Attention::Algorithm::flash) return Offer::refuse("it is naive, and flash was asked for");
  if (settings.causal || settings.has_bias || settings.with_log_sum_exp) return Offer::refuse("it has no mask, bias or log-sum-exp");
  return onednn::offer_or_refuse([&] {
    const Views views = views_of(site.inputs[0], site.outputs[0], settings.heads, first_query);
    dnnl::primitive_attr scaled = onednn::user_scratchpad();
    dnnl::post_ops scale;
    scale.append_eltwise(dnnl::algorithm::eltwise_linear, static_cast<float>(settings.effective_scale(site.outputs[0].shape[2])), 0.0f);
    scaled.set_post_ops(scale);
    const dnnl::matmul::primitive_desc score(onednn::engine(), views.query, views.key, views.scores, scaled);
    const dnnl::softmax_forward::primitive_desc softmax(onednn::engine(), dnnl::prop_kind::forward_inference,
                                                        dnnl::algorithm::softmax_accurate, views.scores, views.scores, 3,
                                                        onednn::user_scratchpad());
    const dnnl::matmul::primitive_desc weigh(onednn::engine(), views.scores, views.value, views.output, onednn::user_scratchpad());
    const std::size_t score_bytes = aligned(views.scores.get_size());
    const std::size_t work_bytes =
        std::max({score.scratchpad_desc().get_size(), softmax.scratchpad_desc().get_size(), weigh.scratchpad_desc().get_size()});
    Offer offer = plain_offer(site, {}, score_bytes + work_bytes);
    offer.effective = site.outputs[0].dtype;
    offer.detail = std::string(score.impl_info_str()) + ", " + softmax.impl_info_str() + ", " + weigh.impl_info_str();
    offer.prepare = [=] {
      using Source = Argument::Source;
      const auto work = [=](const Desc& desc) { return Argument{DNNL_ARG_SCRATCHPAD, desc, Source::scratch, score_bytes, {}}; };
      const PreparedKernel products = onednn::prepared({{dnnl::matmul(score),
                                                         {{DNNL_ARG_SRC, views.query, Source::input, 0},
                                                          {DNNL_ARG_WEIGHTS, views.key, Source::input, 1},
                                                          {DNNL_ARG_DST, views.scores, Source::scratch, 0},
                                                          work(score.scratchpad_desc())}},
                                                        {dnnl::softmax_forward(softmax),
                                                         {{DNNL_ARG_SRC, views.scores, Source::scratch, 0},
                                                          {DNNL_ARG_DST, views.scores, Source::scratch, 0},
                                                          work(softmax.scratchpad_desc())}}});
      const PreparedKernel sums = onednn::prepared({{dnnl::matmul(weigh),
                                                     {{DNNL_ARG_SRC, views.scores, Source::scratch, 0},
                                                      {DNNL_ARG_WEIGHTS, views.value, Source::input, 1},
                                                      {DNNL_ARG_DST, views.output, Source::output, 0},
                                                      work(weigh.scratchpad_desc())}}});
      return PreparedKernel{[=](const Buffers& buffers) -> Step {
        std::vector<const std::byte*> inputs;
        const Step first = products.bind(shifted(buffers, inputs, views.query_offset, views.key_offset));
        const Step second = sums.bind(shifted(buffers, inputs, 0, views.value_offset));
        return [=] {
          first();
          second();
        };
      }};
    };
    return offer;
  });
}

}  // namespace

Offer attention_onednn(const CallSite& site) { return offer_of(site, *site.op.as<Attention>(), 0); }
Offer attention_rows_onednn(const CallSite& site) {
  const auto& settings = *site.op.as<AttentionRows>();
  return offer_of(site, settings.attention, settings.first_query);
}

}  // namespace edgelab::kernels

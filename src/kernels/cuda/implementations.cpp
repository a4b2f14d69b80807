#include "kernels/cuda/implementations.hpp"

#include <map>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/cuda/offers.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/reorder/reorder.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels::cuda {

std::span<const DeviceImplementation> implementations_of(const Op& op) {
  static const std::map<std::string_view, std::vector<DeviceImplementation>> lists = {
      {Conv2d::kName, {{"product (cuda)", conv2d_product}, {"depthwise (cuda)", conv2d_depthwise}, {"direct (cuda)", conv2d_direct}}},
      {BatchNorm::kName, {{"elements (cuda)", batch_norm_elements}}},
      {GlobalAveragePool::kName, {{"pool (cuda)", average_pool_elements}}},
      {Linear::kName, {{"product (cuda)", linear_product}}},
      {PatchEmbed::kName, {{"product (cuda)", patch_embed_product}}},
      {LayerNorm::kName, {{"rows (cuda)", layer_norm_rows}}},
      {LayerNormLinear::kName, {{"product (cuda)", layer_norm_linear_product}}},
      {Mlp::kName, {{"products (cuda)", mlp_products}}},
      {Attention::kName, {{"flash (cuda)", attention_tiles}}},
      {AttentionRows::kName, {{"flash (cuda)", attention_rows_tiles}}},
      {Activation::kName, {{"elements (cuda)", activation_elements}}},
      {Binary::kName, {{"elements (cuda)", binary_elements}}},
      {Reorder::kName, {{"transpose (cuda)", reorder_transpose}}},
      {ToTokens::kName, {{"copy (cuda)", to_tokens_copy}}},
      {ConcatTokens::kName, {{"copy (cuda)", concat_tokens_copy}}},
      {SelectToken::kName, {{"copy (cuda)", select_token_copy}}},
  };
  const auto found = lists.find(op.name());
  return found == lists.end() ? std::span<const DeviceImplementation>() : found->second;
}

}  // namespace edgelab::kernels::cuda

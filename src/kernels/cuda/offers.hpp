#pragma once

#include "kernels/cuda/implementations.hpp"

// The device's implementations of each op, by the kernels that arguments.hpp describes.
namespace edgelab::kernels::cuda {

Offer conv2d_product(const DeviceSite& site);    // 1×1
Offer conv2d_depthwise(const DeviceSite& site);  // any square kernel
Offer conv2d_direct(const DeviceSite& site);     // any
Offer batch_norm_elements(const DeviceSite& site);
Offer average_pool_elements(const DeviceSite& site);

Offer linear_product(const DeviceSite& site);
Offer patch_embed_product(const DeviceSite& site);
Offer layer_norm_rows(const DeviceSite& site);
Offer layer_norm_linear_product(const DeviceSite& site);
Offer mlp_products(const DeviceSite& site);
Offer attention_tiles(const DeviceSite& site);
Offer attention_rows_tiles(const DeviceSite& site);

Offer activation_elements(const DeviceSite& site);
Offer binary_elements(const DeviceSite& site);
Offer reorder_transpose(const DeviceSite& site);
Offer to_tokens_copy(const DeviceSite& site);
Offer concat_tokens_copy(const DeviceSite& site);
Offer select_token_copy(const DeviceSite& site);

}  // namespace edgelab::kernels::cuda

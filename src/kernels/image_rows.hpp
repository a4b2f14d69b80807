#pragma once

#include <algorithm>
#include <cstdint>

#include "core/thread_team.hpp"

namespace edgelab::kernels {

// A member's rows of all images together, image by image: work(image, first, last) for the rows first … last − 1 of each.
template <class Work> void each_image(const Member::Part& part, std::int64_t rows_of_image, const Work& work) {
  for (std::int64_t at = part.begin; at < part.end;) {
    const std::int64_t image = at / rows_of_image, begin = image * rows_of_image, end = std::min(part.end, begin + rows_of_image);
    work(image, at - begin, end - begin);
    at = end;
  }
}

}  // namespace edgelab::kernels

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::tasks {

// What a row of logits [classes] says: the class with the highest; of equal ones the first, as argmax has it everywhere.
std::int32_t predicted_class(std::span<const float> logits);

// Fills top1, top5 (where there are more than five classes) and the mean cross-entropy from logits [sample, classes].
// Samples without a label (negative) count nowhere; without any label the summary stays as it is.
void score(std::span<const float> logits, std::int64_t classes, std::span<const std::int32_t> labels, results::Summary& summary);

}  // namespace edgelab::tasks

#pragma once

#include "data/dataset.hpp"
#include "results/job_record.hpp"

namespace edgelab::tasks {

// Puts the names of the classes into the record, and the dozen samples that the model was surest and wrong about with their
// pictures, for people to look at. The record has its labels, predictions and logits, sample i of them the data set's
// i-th; without labels nothing is added.
void keep_mistakes(results::JobRecord& record, const data::Dataset& dataset);

}  // namespace edgelab::tasks

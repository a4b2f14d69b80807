#pragma once

#include <vector>

#include "batch/job_file/type.hpp"

namespace edgelab::batch {

// The tables. Defaults are not among them: they are the initial values of the structs of tasks/job_spec.hpp.
const Section& file_section();      // the top of a job file
const Section& job_section();       // fills tasks::JobSpec
const Section& defaults_section();  // … without id and needs
const Section& override_section();  // … without id: what --set jobs.ID.… may change
const Section& data_section();
const Section& model_section();
const Section& weights_job_section();  // {job: ID}
const Section& measure_section();
const Section& parallel_section();
const Section& expectation_section();
const Section& outputs_match_section();
const Section& speedup_section();
const Section& drop_section();
const Section& train_section();
const Section& optimizer_section();
const Section& schedule_section();
const Section& trainable_lora_section();  // {lora: {…}}
const Section& lora_section();
const Section& distill_section();
const Section& early_stopping_section();
const Section& search_section();
const Section& prune_section();
const Section& quantize_section();
const Section& calibration_section();
const Section& mixed_section();
const Section& scenario_section();
const Section& requires_section();
const Section& checkpoint_section();
const Section& output_section();
const Section& cluster_section();  // fills ClusterSpec
const Section& host_section();

// In the order of the reference.
std::vector<const Section*> all_sections();

}  // namespace edgelab::batch
